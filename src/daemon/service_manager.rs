//! Tells the service manager how far the daemon is (systemd's `Type=notify`): one datagram of `NAME=value` lines to the socket that it
//! names in `NOTIFY_SOCKET`. Source: sd_notify(3). Where nothing is named, nothing is told.

use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable that names the socket.
pub const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// Who is told.
#[derive(Debug, Default)]
pub struct ServiceManager(Option<UnixDatagram>);

impl ServiceManager {
    /// The one behind this socket: a path, or after an `@` a name that is in no folder. One that cannot be reached is not told:
    /// the daemon's work does not depend on it.
    pub fn at(socket: Option<String>) -> Self {
        let Some(socket) = socket.filter(|socket| !socket.is_empty()) else { return Self::default() };
        match reach(&socket) {
            Ok(open) => Self(Some(open)),
            Err(error) => {
                tracing::warn!(error = %error, "daemon.service_manager_not_reached");
                Self::default()
            }
        }
    }

    /// It takes webhooks and orders; `status` is what the manager shows.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", status.replace('\n', " ")));
    }

    /// It takes nothing more and finishes what is under way.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=finishing what is under way");
    }

    fn tell(&self, text: &str) {
        let Some(socket) = &self.0 else { return };
        if let Err(error) = socket.send(text.as_bytes()) {
            tracing::warn!(error = %error, "daemon.service_manager_not_told");
        }
    }
}

fn reach(socket: &str) -> io::Result<UnixDatagram> {
    let address = match socket.strip_prefix('@') {
        Some(name) => in_no_folder(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let open = UnixDatagram::unbound()?;
    open.connect_addr(&address)?;
    // One that does not read must not hold the daemon up.
    open.set_nonblocking(true)?;
    Ok(open)
}

#[cfg(target_os = "linux")]
fn in_no_folder(name: &str) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn in_no_folder(_: &str) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn told(socket: &UnixDatagram) -> String {
        let mut text = [0; 200];
        let length = socket.recv(&mut text).expect("told");
        String::from_utf8_lossy(&text[..length]).into_owned()
    }

    #[test]
    fn a_path_and_a_name_in_no_folder_are_told_and_one_that_is_not_there_is_not() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("notify").to_string_lossy().into_owned();
        let name = format!("handoffd-test-{}", folder.path().display());
        let abstract_name = in_no_folder(&name).expect("a name");
        let bound = [
            (UnixDatagram::bind(&path).expect("bound"), path),
            (UnixDatagram::bind_addr(&abstract_name).expect("bound"), format!("@{name}")),
        ];
        for (socket, address) in bound {
            let manager = ServiceManager::at(Some(address));
            manager.ready("live\nREADY=0");
            manager.stopping();
            assert_eq!(told(&socket), "READY=1\nSTATUS=live READY=0");
            assert!(told(&socket).starts_with("STOPPING=1\n"));
        }
        let nowhere = folder.path().join("nobody").to_string_lossy().into_owned();
        for nobody in [None, Some(String::new()), Some(nowhere), Some("x".repeat(300))] {
            let manager = ServiceManager::at(nobody);
            assert!(manager.0.is_none());
            manager.ready("nobody hears it");
        }
    }
}
