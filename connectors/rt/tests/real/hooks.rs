//! What RT's scrip posts, caught on a socket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The token in the hook's address.
pub const TOKEN: &str = "0123456789abcdef";

/// Catches posts for as long as the test runs.
pub struct Hooks {
    /// Where to post.
    pub url: String,
    caught: Arc<Mutex<Vec<Post>>>,
}

/// One post: the last part of its address, and its body.
#[derive(Clone, Debug)]
pub struct Post {
    pub path: String,
    pub body: Vec<u8>,
}

impl Hooks {
    pub fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks/rt/{TOKEN}", listener.local_addr().unwrap());
        let caught = Arc::new(Mutex::new(Vec::new()));
        let keep = caught.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(post) = read(stream) {
                    keep.lock().unwrap().push(post);
                }
            }
        });
        Self { url, caught }
    }

    pub fn caught(&self) -> Vec<Post> {
        self.caught.lock().unwrap().clone()
    }
}

fn read(mut stream: TcpStream) -> Option<Post> {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        let count = stream.read(&mut some).ok()?;
        bytes.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()?;
                let path = head.split_whitespace().nth(1)?.rsplit('/').next()?.to_owned();
                return Some(Post { path, body: body.as_bytes().to_vec() });
            }
        }
        if count == 0 {
            return None;
        }
    }
}
