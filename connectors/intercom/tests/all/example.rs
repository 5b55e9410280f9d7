//! `example.toml` is what an admin copies from: the connector must take it as it stands.

use handoffd_intercom::wrong_settings;
use handoffd_kit::conformance::example;

fn problems(text: &str) -> Vec<String> {
    wrong_settings(&example::settings(text).unwrap()).into_iter().map(|problem| problem.key).collect()
}

#[test]
fn the_example_is_taken_as_it_stands() {
    let example = include_str!("../../example.toml");
    assert_eq!(problems(example), [""; 0]);
    let broken = example.replace("token = {", "tokne = {");
    assert_eq!(problems(&broken), ["login.tokne", "login.token"]);
}
