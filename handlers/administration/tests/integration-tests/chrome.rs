//! A real browser, driven over the Chrome DevTools Protocol.
//!
//! The console never stops loading, as it follows events: `--dump-dom` and virtual time would wait for ever.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long something may take to appear: the machines of tests are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub(crate) struct Chrome {
    process: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    last: u64,
    /// What the page has complained of: exceptions, and what its policy forbids.
    pub(crate) complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Chrome {
    pub(crate) async fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let process = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium does not start: `cargo xtask test` installs it");
        let address = debugger(profile.path()).await;
        let (socket, _) = tokio_tungstenite::connect_async(address).await.unwrap();
        let mut chrome = Self {
            process,
            socket,
            session: None,
            last: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        let target = chrome
            .call("Target.createTarget", json!({"url": "about:blank"}))
            .await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = chrome.call("Target.attachToTarget", attach).await;
        chrome.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            chrome.call(&format!("{domain}.enable"), json!({})).await;
        }
        chrome
    }

    /// Calls a method of the protocol.
    pub(crate) async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let Message::Text(text) = next
                .unwrap_or_else(|_| panic!("the browser does not answer {method} {message}"))
                .unwrap()
                .unwrap()
            else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap();
            self.listen(&answer);
            if answer["id"] == self.last {
                assert_eq!(answer.get("error"), None, "{method}");
                return answer["result"].clone();
            }
        }
    }

    fn listen(&mut self, event: &Value) {
        let complaint = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => &event["params"]["exceptionDetails"],
            // That the platform cannot be reached at times is what a test wants.
            Some("Log.entryAdded") if event["params"]["entry"]["source"] != "network" => {
                &event["params"]["entry"]
            }
            _ => return,
        };
        self.complaints.push(complaint.to_string());
    }

    /// The size of the window, as a phone or a computer has it.
    pub(crate) async fn size(&mut self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub(crate) async fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url})).await;
    }

    /// The value of an expression in the page.
    pub(crate) async fn value(&mut self, expression: &str) -> Value {
        let evaluate = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", evaluate).await;
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true in the page.
    pub(crate) async fn wait_for(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression).await != true {
            if begun.elapsed() > PATIENCE {
                let page = self.value("document.body.innerText").await;
                panic!("{expression} does not become true; the page says: {page}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses a key, as a person with a keyboard does.
    pub(crate) async fn press(&mut self, key: &str, code: u32, text: &str) {
        for (kind, text) in [("keyDown", text), ("keyUp", "")] {
            let event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a browser that has just been started can be driven from.
async fn debugger(profile: &Path) -> String {
    let begun = Instant::now();
    loop {
        let file = std::fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = file.split_once('\n') {
            return format!("ws://127.0.0.1:{port}{}", path.trim());
        }
        assert!(begun.elapsed() < PATIENCE, "the browser has not started");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
