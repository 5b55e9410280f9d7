//! `example.toml` is what an admin copies from: the connector must take it as it stands.

use handoffd_kit::conformance::example;
use handoffd_rt::wrong_settings;

fn problems(text: &str) -> Vec<String> {
    let problems = wrong_settings(&example::settings(text).unwrap());
    problems.into_iter().map(|problem| format!("{}: {}", problem.key, problem.problem)).collect()
}

#[test]
fn the_example_is_taken_as_it_stands_and_with_its_other_login() {
    let example = include_str!("../../example.toml");
    assert_eq!(problems(example), [""; 0]);
    let mut lines: Vec<&str> = example.lines().filter(|line| !line.starts_with("login")).collect();
    let other = lines.iter_mut().find(|line| line.starts_with("# login")).unwrap();
    *other = other.trim_start_matches("# ");
    assert_eq!(problems(&lines.join("\n")), [""; 0]);
    let broken = example.replace("token = { env = \"RT_TOKEN\" }", "tokne = { env = \"RT_TOKEN\" }");
    assert_eq!(problems(&broken).len(), 2, "an unknown key and a missing one");
}
