//! A headless Chromium, spoken to over its own debugging pipe: JSON messages parted by a zero byte. No driver in between.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// Where Chromium is found, by the names that systems give it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// How often something is looked for before it is missed; each look waits a little in the browser.
const LOOKS: u32 = 300;

/// A running browser.
pub struct Chromium {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: u64,
    _profile: TempDir,
}

impl Chromium {
    /// Starts one; none: it is not installed.
    pub fn start() -> Option<Self> {
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
        let mut programs = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let program = programs.find(|program| program.is_file())?;
        let profile = tempfile::tempdir().expect("a folder");
        // The pipe is at the file descriptors 3 and 4, which a shell can put there.
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (to, from) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, to, from, next: 0, _profile: profile })
    }

    /// A page that this address's paths are opened in.
    pub fn page(&mut self, url: &str) -> Page<'_> {
        let mut events = Vec::new();
        let target = self.call(None, "Target.createTarget", &json!({ "url": "about:blank" }), &mut events);
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", &attach, &mut events);
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        let mut page = Page { chromium: self, session, url: url.to_owned(), events, forgiven: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page
    }

    /// Asks, and waits for the answer whole; what happens meanwhile is kept.
    fn ask(&mut self, session: Option<&str>, method: &str, parameters: &Value, events: &mut Vec<Value>) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(message.to_string().as_bytes()).and_then(|()| self.to.write_all(&[0])).expect("written");
        loop {
            let mut bytes = Vec::new();
            let read = self.from.read_until(0, &mut bytes).expect("the browser answers");
            assert!(read > 0, "the browser has gone");
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
            if answer["id"] == json!(id) {
                return answer;
            }
            events.push(answer);
        }
    }

    fn call(&mut self, session: Option<&str>, method: &str, parameters: &Value, events: &mut Vec<Value>) -> Value {
        let answer = self.ask(session, method, parameters, events);
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One page of it.
pub struct Page<'b> {
    chromium: &'b mut Chromium,
    session: String,
    url: String,
    events: Vec<Value>,
    forgiven: Vec<&'static str>,
}

impl Page<'_> {
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.chromium.call(Some(&self.session), method, &parameters, &mut self.events)
    }

    /// Sets its size in points, as of a phone where it is narrow.
    pub fn size(&mut self, (width, height): (u32, u32)) {
        let phone = width < 600;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": if phone { 2 } else { 1 }, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Whether the person likes it dark.
    pub fn dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Opens a path and waits until it is there.
    pub fn go(&mut self, path: &str) {
        let url = format!("{}{path}", self.url);
        self.call("Page.navigate", json!({ "url": url }));
        self.waits_for("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// The path that is open.
    pub fn path(&mut self) -> String {
        self.tells("location.pathname + location.search")
    }

    /// What an expression comes to in the page.
    pub fn tells<T: DeserializeOwned>(&mut self, expression: &str) -> T {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        serde_json::from_value(answer["result"]["value"].clone())
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Looks again until it holds; the browser waits between two looks.
    pub fn waits_for(&mut self, condition: &str) {
        let look = format!(
            "new Promise(done => setTimeout(() => {{ let holds = false; try {{ holds = ({condition}); }} catch {{}} done(holds); }}, 50))"
        );
        for _ in 0..LOOKS {
            let asked = json!({ "expression": look, "returnByValue": true, "awaitPromise": true });
            // A page that is left while it looks answers with an error.
            let answer = self.chromium.ask(Some(&self.session), "Runtime.evaluate", &asked, &mut self.events);
            if answer["result"]["result"]["value"] == json!(true) {
                return;
            }
        }
        let shown: String = self.tells("document.body.innerText.slice(0, 2000)");
        panic!("{condition} never holds on {}:\n{shown}", self.path());
    }

    /// Clicks as a person does: on the middle of what is there, with the mouse.
    pub fn clicks(&mut self, selector: &str) {
        let found = json!(selector).to_string();
        self.waits_for(&format!("document.querySelector({found}) !== null"));
        let middle = format!(
            "(() => {{ const it = document.querySelector({found}); it.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const at = it.getBoundingClientRect(); return [at.left + Math.min(at.width / 2, 40), at.top + at.height / 2]; }})()"
        );
        let [x, y]: [f64; 2] = self.tells(&middle);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types into a field, in the place of what was there.
    pub fn types(&mut self, selector: &str, text: &str) {
        let found = json!(selector).to_string();
        self.tells::<bool>(&format!(
            "(() => {{ const it = document.querySelector({found}); it.focus(); it.select(); return true; }})()"
        ));
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Sends a form with the key that sends forms.
    pub fn submits(&mut self, form: &str) {
        self.tells::<bool>(&format!("document.querySelector('{form}').contains(document.activeElement)"));
        self.presses("Enter");
        self.waits_for("document.readyState === 'complete'");
    }

    /// Presses a key.
    pub fn presses(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            other => panic!("no such key: {other}"),
        };
        let down = json!({ "type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        self.call("Input.dispatchKeyEvent", down);
        let up = json!({ "type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", up);
    }

    /// Logs out.
    pub fn logs_out(&mut self) {
        self.clicks(".who button");
        self.waits_for("location.pathname === '/login'");
    }

    /// Keeps a picture of the page.
    pub fn picture(&mut self, name: &str) {
        let taken = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let bytes = decoded(taken["data"].as_str().expect("a picture"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("written");
    }

    /// A complaint with this word is expected.
    pub fn forgives(&mut self, word: &'static str) {
        self.forgiven.push(word);
    }

    /// What the console says, and what was asked of other hosts.
    pub fn complaints(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        for event in &self.events {
            let parameters = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => found.push(parameters["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled"
                    if ["error", "warning"].contains(&parameters["type"].as_str().unwrap_or_default()) =>
                {
                    found.push(parameters["args"].to_string());
                }
                "Log.entryAdded" if parameters["entry"]["level"] == "error" => {
                    found.push(parameters["entry"].to_string())
                }
                "Network.requestWillBeSent" => {
                    let url = parameters["request"]["url"].as_str().unwrap_or_default();
                    if !url.starts_with(&format!("{}/", self.url)) {
                        found.push(format!("asked {url}"));
                    }
                }
                _ => {}
            }
        }
        found.retain(|complaint| !self.forgiven.iter().any(|word| complaint.contains(word)));
        found
    }
}

/// Base 64.
fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).expect("base 64")
}
