//! Addresses for errors and logs.

/// The scheme, host and path of an address: what may be logged. User, password, query and fragment are left out, and so is
/// what a path says of people: mail addresses and text of theirs, which is where a path is encoded.
pub fn redact(uri: &http::Uri) -> String {
    let scheme = uri.scheme_str().map(|scheme| format!("{scheme}://")).unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path: Vec<&str> = uri.path().split('/').map(|segment| if is_text(segment) { "…" } else { segment }).collect();
    format!("{scheme}{}{port}{}", uri.host().unwrap_or_default(), path.join("/"))
}

/// Whether a segment of a path is more than a fixed word or an id.
fn is_text(segment: &str) -> bool {
    segment.contains(['@', '%', '+', ' ']) || !segment.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_scheme_host_port_and_path_is_kept() {
        let shown = |text: &str| redact(&text.parse().unwrap());
        assert_eq!(shown("https://me:pw@desk.test:8443/api/1?token=x"), "https://desk.test:8443/api/1");
        assert_eq!(shown("/only/path?q=1"), "/only/path");
        assert_eq!(shown("https://desk.test"), "https://desk.test/");
    }

    #[test]
    fn a_path_keeps_its_words_and_ids_and_nothing_of_people() {
        let shown = |path: &str| redact(&format!("https://desk.test{path}").parse().unwrap());
        for (path, kept) in [
            ("/REST/2.0/user/marta@northwind.test", "/REST/2.0/user/…"),
            ("/REST/2.0/user/marta%40northwind.test/x", "/REST/2.0/user/…/x"),
            ("/REST/2.0/queue/Second%20line", "/REST/2.0/queue/…"),
            ("/user/J%C3%B6rg", "/user/…"),
            ("/REST/2.0/ticket/35436/history", "/REST/2.0/ticket/35436/history"),
            ("/api/v2/incremental/tickets/cursor.json", "/api/v2/incremental/tickets/cursor.json"),
            ("/REST/2.0/queues/all/", "/REST/2.0/queues/all/"),
        ] {
            assert_eq!(shown(path), format!("https://desk.test{kept}"));
        }
    }
}
