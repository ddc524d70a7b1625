//! One tour's client: it asks through the proxy, writes everything down, and removes what it has made.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::receiver::Receiver;
use super::transcript::Transcript;
use crate::client::{Call, Client};
use crate::message::Answer;
use crate::place::{MANAGEMENT, SUPPORT};
use crate::platform::INSTANCES;

/// A client with a memory.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    direct: Client,
    pub(super) transcript: Transcript,
    pub(super) receiver: Receiver,
}

impl Session {
    /// A client of the proxy, which cleans up at the platform itself.
    pub(super) async fn start(proxy: SocketAddr, platform: SocketAddr) -> std::io::Result<Self> {
        let receiver = Receiver::start().await?;
        let mut transcript = Transcript::default();
        transcript.call(proxy, "PROXY");
        transcript.call(receiver.address, "RECEIVER");
        let patience = Duration::from_secs(2);
        Ok(Self {
            client: Client {
                address: proxy,
                patience,
            },
            direct: Client {
                address: platform,
                patience: Duration::from_secs(10),
            },
            transcript,
            receiver,
        })
    }

    /// One request with a JSON body or none.
    pub(super) async fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send(method, path, &[], body).await
    }

    /// One request with header fields and any body.
    pub(super) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Option<Answer> {
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        let call = Call {
            method,
            path,
            headers,
            body,
        };
        let answer = self.client.send(call).await;
        self.transcript
            .answer(&format!("{method} {path} {headers:?} {shown}"), answer.as_ref());
        answer
    }

    /// Makes something and tells its path; one that is nowhere if there is no `Location`.
    pub(super) async fn make(&mut self, path: &str, body: &Value) -> String {
        let answer = self.ask("POST", path, Some(body)).await;
        answer
            .and_then(|answer| answer.location_path())
            .unwrap_or_else(|| format!("{path}/nowhere"))
    }

    /// Writes down what the receiver got below a path.
    pub(super) async fn received(&mut self, path: &str, count: usize) {
        let mut lines = self.receiver.received(path, count, 1500).await;
        lines.truncate(12);
        self.transcript
            .note(&format!("received {}: {}", lines.len(), lines.join(" | ")));
    }

    /// Removes everything at the platform, and gives the transcript.
    pub(super) async fn end(self) -> Vec<String> {
        for instance in INSTANCES {
            for api in [MANAGEMENT, SUPPORT] {
                let path = format!("{api}/applications/{instance}/subscriptions");
                let list = self
                    .direct
                    .json("GET", &path, None)
                    .await
                    .and_then(|answer| answer.json());
                let links = list
                    .as_ref()
                    .and_then(|list| list.pointer("/_links/subscriptions"));
                for link in links.and_then(Value::as_array).into_iter().flatten() {
                    let href = link["href"]
                        .as_str()
                        .and_then(|href| href.parse::<http::Uri>().ok());
                    self.remove(href.as_ref().map_or("/", |href| href.path())).await;
                }
            }
            let path = format!("{MANAGEMENT}/applications/{instance}/services");
            let list = self
                .direct
                .json("GET", &path, None)
                .await
                .and_then(|answer| answer.json());
            for service in list.as_ref().and_then(Value::as_array).into_iter().flatten() {
                self.remove(&format!(
                    "{path}/{}",
                    service["serInstanceId"].as_str().unwrap_or_default()
                ))
                .await;
            }
        }
        for id in ["tour-1", "tour-2"] {
            self.remove(&format!("{SUPPORT}/registrations/{id}")).await;
        }
        self.transcript.lines
    }

    async fn remove(&self, path: &str) {
        // What is not there need not be removed.
        let _ = self.direct.json("DELETE", path, None).await;
    }
}
