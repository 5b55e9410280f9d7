//! The `handoffd` binary: one call into the library, one exit code out of it.

fn main() -> std::process::ExitCode {
    handoffd::cli::main()
}
