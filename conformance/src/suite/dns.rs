//! Asking a name server: one question, its addresses, by UDP and, where the answer is cut, by TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long one try may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a question is sent by UDP.
const TRIES: usize = 3;

/// One address of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRecord {
    /// The address.
    pub address: IpAddr,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
}

/// What a name server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// The response code: 0 no error, 3 no such name.
    pub code: u8,
    /// Whether it is the authority for the name, so that nothing comes from a cache.
    pub authoritative: bool,
    /// The addresses.
    pub records: Vec<AddressRecord>,
}

impl DnsAnswer {
    /// The record of an address.
    pub fn record(&self, address: IpAddr) -> Option<&AddressRecord> {
        self.records.iter().find(|record| record.address == address)
    }

    /// In one line, for evidence.
    pub fn summary(&self) -> String {
        let records = self
            .records
            .iter()
            .map(|record| format!("{} (TTL {})", record.address, record.ttl));
        let records: Vec<_> = records.collect();
        let code = match self.code {
            0 => "no error".to_owned(),
            3 => "no such name".to_owned(),
            other => format!("response code {other}"),
        };
        match records.is_empty() {
            true => format!("{code}, no address"),
            false => format!("{code}: {}", records.join(", ")),
        }
    }
}

/// Asks for the addresses of a name: IPv6 or IPv4.
///
/// # Errors
/// Why there is no answer that can be read, in one clause.
pub async fn ask(server: SocketAddr, name: &str, ipv6: bool, id: u16) -> Result<DnsAnswer, String> {
    let kind = if ipv6 { 28 } else { 1 };
    let question = question(name, kind, id).ok_or_else(|| format!("{name:?} is no name of DNS"))?;
    let mut last = format!("the name server at {server} does not answer");
    for _ in 0..TRIES {
        match timeout(PATIENCE, by_udp(server, &question, id)).await {
            Ok(Ok(bytes)) if bytes[2] & 0b10 != 0 => {
                let whole = timeout(PATIENCE, by_tcp(server, &question)).await;
                let whole = whole.map_err(|_| "the name server does not answer by TCP".to_owned())?;
                return read(&whole.map_err(|error| error.to_string())?, id, kind);
            }
            Ok(Ok(bytes)) => return read(&bytes, id, kind),
            Ok(Err(error)) => last = format!("the name server at {server}: {error}"),
            Err(_) => {}
        }
    }
    Err(last)
}

fn question(name: &str, kind: u16, id: u16) -> Option<Vec<u8>> {
    let mut bytes = id.to_be_bytes().to_vec();
    // A standard query with recursion desired, one question.
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    Some(bytes)
}

async fn by_udp(server: SocketAddr, question: &[u8], id: u16) -> std::io::Result<Vec<u8>> {
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let read = socket.recv(&mut buffer).await?;
        // What belongs to no question of ours is left out.
        if read >= 12 && buffer[..2] == id.to_be_bytes() && buffer[2] & 0x80 != 0 {
            buffer.truncate(read);
            return Ok(buffer);
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).unwrap_or(u16::MAX);
    stream
        .write_all(&[&length.to_be_bytes(), question].concat())
        .await?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).await?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Reads an answer.
fn read(bytes: &[u8], id: u16, kind: u16) -> Result<DnsAnswer, String> {
    parse(bytes, id, kind).ok_or_else(|| "the name server's answer is no DNS message".to_owned())
}

fn parse(bytes: &[u8], id: u16, kind: u16) -> Option<DnsAnswer> {
    let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    if number(0)? != id {
        return None;
    }
    let mut at = 12;
    for _ in 0..number(4)? {
        at = after_name(bytes, at)? + 4;
    }
    let mut records = Vec::new();
    for _ in 0..number(6)? {
        at = after_name(bytes, at)?;
        let (found, ttl, length) = (
            number(at)?,
            (u32::from(number(at + 4)?) << 16) | u32::from(number(at + 6)?),
            usize::from(number(at + 8)?),
        );
        let data = bytes.get(at + 10..at + 10 + length)?;
        at += 10 + length;
        let address = match (found == kind, data.len()) {
            (true, 4) => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            (true, 16) => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            _ => None,
        };
        records.extend(address.map(|address| AddressRecord { address, ttl }));
    }
    Some(DnsAnswer {
        code: bytes.get(3)? & 0x0f,
        authoritative: bytes.get(2)? & 0b100 != 0,
        records,
    })
}

/// Where what follows a name begins; a name ends with an empty label or a pointer.
fn after_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, question};

    #[test]
    fn reads_addresses_behind_aliases_and_compression() {
        let mut bytes = question("a.mec.internal", 1, 7).unwrap_or_default();
        bytes[2] = 0x85;
        bytes[7] = 2;
        // An alias, whose name is a pointer to the question's, then an address.
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 14]);
        bytes.extend([0xc0, 14, 0, 1, 0, 1, 0, 0, 1, 2, 0, 4, 192, 0, 2, 7]);
        let answer = parse(&bytes, 7, 1).map(|answer| (answer.summary(), answer.authoritative));
        assert_eq!(answer, Some(("no error: 192.0.2.7 (TTL 258)".to_owned(), true)));
        for length in 0..bytes.len() {
            assert_eq!(parse(&bytes[..length], 7, 1), None, "{length}");
        }
        assert_eq!(parse(&bytes, 8, 1), None);
    }

    #[test]
    fn what_is_no_name_is_not_asked() {
        assert_eq!(question("a..b", 1, 7), None);
        assert_eq!(question(&"a".repeat(64), 1, 7), None);
    }
}
