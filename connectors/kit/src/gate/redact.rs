//! Addresses for errors and logs.

/// The scheme, host and path of an address: what may be logged. User, password, query and fragment are left out.
pub fn redact(uri: &http::Uri) -> String {
    let scheme = uri.scheme_str().map(|scheme| format!("{scheme}://")).unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}{}{port}{}", uri.host().unwrap_or_default(), uri.path())
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
}
