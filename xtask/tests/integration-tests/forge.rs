//! A stand-in for ETSI's forge: HTTPS on the loopback, the raw-file addresses of GitLab's API, and its bad days.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use percent_encoding::percent_decode_str;
use rcgen::CertifiedKey;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::checkout::Mirror;

/// What the forge does with a request.
pub(crate) enum Reply {
    /// 200 with this text.
    Text(String),
    /// Any status with this content type and text.
    Other(u16, &'static str, String),
    /// 200 that breaks off before its end.
    BrokenOff,
}

/// Decides on a reply from the file's path in the mirror's layout and the number of earlier requests for it.
type Behaviour = dyn Fn(&str, usize) -> Reply + Send + Sync;

/// A running forge; it ends with the test's process.
pub(crate) struct Forge {
    port: u16,
    certificate: String,
}

struct State {
    tls: Arc<ServerConfig>,
    behaviour: Box<Behaviour>,
    requests: Mutex<BTreeMap<String, usize>>,
}

impl Forge {
    /// A forge that holds `mirror`.
    pub(crate) fn holding(mirror: Mirror) -> Self {
        Self::start(move |path, _| hold(&mirror, path))
    }

    /// A forge that behaves as told.
    pub(crate) fn start(behaviour: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
        let state = State {
            tls: Arc::new(tls),
            behaviour: Box::new(behaviour),
            requests: Mutex::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                // A client that hangs up is no fault of the forge's.
                thread::spawn(move || state.serve(stream).ok());
            }
        });
        Self {
            port,
            certificate: cert.pem(),
        }
    }

    /// What to give to `--forge`.
    pub(crate) fn address(&self) -> String {
        format!("https://localhost:{}/rep", self.port)
    }

    /// The certificate to trust, in PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }
}

/// The reply of a forge that holds `mirror`.
pub(crate) fn hold(mirror: &Mirror, path: &str) -> Reply {
    match mirror.get(path) {
        Some(text) => Reply::Text(text.clone()),
        None => Reply::Other(
            404,
            "application/json",
            r#"{"message":"404 File Not Found"}"#.to_owned(),
        ),
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(std::io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        let target = read_target(&mut stream)?;
        let (status, kind, text, missing_bytes) = match self.reply(&target) {
            Reply::Text(text) => (200, "text/plain", text, 0),
            Reply::Other(status, kind, text) => (status, kind, text, 0),
            Reply::BrokenOff => (200, "text/plain", "openapi: 3.1.0\n".to_owned(), 100),
        };
        write!(
            stream,
            "HTTP/1.1 {status} Reason\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len() + missing_bytes
        )?;
        stream.conn.send_close_notify();
        stream.flush()
    }

    fn reply(&self, target: &str) -> Reply {
        let Some(path) = mirror_path(target) else {
            return Reply::Other(400, "text/plain", format!("{target} is no raw-file address"));
        };
        let earlier = {
            let mut requests = self.requests.lock().unwrap();
            let count = requests.entry(path.clone()).or_default();
            *count += 1;
            *count - 1
        };
        (self.behaviour)(&path, earlier)
    }
}

/// The target of the request line; the rest of the request is read and forgotten.
fn read_target(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> std::io::Result<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(first.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// `GROUP/PROJECT/REF/PATH` from `/rep/api/v4/projects/GROUP%2FPROJECT/repository/files/PATH/raw?ref=REF`.
fn mirror_path(target: &str) -> Option<String> {
    let (project, rest) = target.strip_prefix("/rep/api/v4/projects/")?.split_once('/')?;
    let (path, reference) = rest.strip_prefix("repository/files/")?.split_once("/raw?ref=")?;
    if path.contains('/') || reference.contains('/') {
        return None;
    }
    let decode = |text| {
        percent_decode_str(text)
            .decode_utf8()
            .ok()
            .map(|text| text.into_owned())
    };
    Some(format!(
        "{}/{}/{}",
        decode(project)?,
        decode(reference)?,
        decode(path)?
    ))
}
