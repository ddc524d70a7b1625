//! Without a fault, nothing is changed.

use std::net::SocketAddr;

use mecforge_mutants::{Fault, Proxy, find};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that gives one answer, byte by byte as told, and tells what it was asked.
async fn server(answer: &'static str) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !(read.ends_with(b"END")
            || read.ends_with(b"END\r\n0\r\n\r\n")
            || read.ends_with(b"END\r\n\r\n"))
        {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(read).unwrap()
    });
    (address, asked)
}

/// Sends bytes through a proxy and reads to the end.
async fn through(fault: Fault, upstream: SocketAddr, request: &str) -> String {
    let proxy = Proxy::bind("127.0.0.1:0".parse().unwrap(), upstream, fault, 1)
        .await
        .unwrap();
    let address = proxy.address().unwrap();
    let serving = tokio::spawn(proxy.serve());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serving.abort();
    answer
}

const REQUEST: &str = "POST /mec_service_mgmt/v1/services/a%2Fb?x=1&&y=%20+ HTTP/1.1\r\nHost: platform.invalid\r\n\
                       X-Mixed-Case: One\r\nx-mixed-case: two\r\nContent-Length: 8\r\nAccept: */*\r\n\r\n{ \"a\"END";
const ANSWER: &str = "HTTP/1.1 404 Not Found\r\nETag: \"1\"\r\nX-Odd:  value\r\nContent-Length: 5\r\nConnection: close\r\n\r\n{ \"\"}";

#[tokio::test]
async fn bytes_pass_through_unchanged() {
    let (upstream, asked) = server(ANSWER).await;
    let answer = through(Fault::none(), upstream, REQUEST).await;
    assert_eq!(asked.await.unwrap(), REQUEST);
    assert_eq!(answer, ANSWER.replace("X-Odd:  value", "X-Odd: value"));
}

#[tokio::test]
async fn chunks_stay_chunks() {
    let request = "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nEND\r\n0\r\n\r\n";
    let (upstream, asked) = server("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
    let answer = through(Fault::none(), upstream, request).await;
    assert!(
        asked
            .await
            .unwrap()
            .contains("Transfer-Encoding: chunked\r\n\r\n3\r\nEND")
    );
    assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{answer}");
}

#[tokio::test]
async fn a_fault_changes_what_it_says_and_nothing_else() {
    let (upstream, asked) = server(ANSWER).await;
    let answer = through(find("status/500-for-404").unwrap(), upstream, REQUEST).await;
    assert_eq!(asked.await.unwrap(), REQUEST);
    assert!(
        answer.starts_with("HTTP/1.1 404 Not Found"),
        "only GET is concerned: {answer}"
    );
    let (upstream, _asked) = server(ANSWER).await;
    let answer = through(
        find("status/500-for-404").unwrap(),
        upstream,
        &REQUEST
            .replace("POST", "GET")
            .replace("a%2Fb", "a")
            .replace("Accept: */*", "Connection: close"),
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 500 Internal Server Error"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_raw_answer_replaces_what_the_library_writes() {
    let (upstream, _asked) = server(ANSWER).await;
    let request = "GET /mec_service_mgmt/v1/transports HTTP/1.1\r\nHost: a\r\nX: END";
    let listener = request.to_owned() + "\r\n\r\n";
    let answer = through(find("robustness/no-http").unwrap(), upstream, &listener).await;
    assert_eq!(answer, "220 mep ready\r\n");
}

#[tokio::test]
async fn a_platform_that_is_not_there_closes_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(through(Fault::none(), nobody, REQUEST).await, "");
}
