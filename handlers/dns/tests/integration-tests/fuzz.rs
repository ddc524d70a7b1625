//! Packets that nobody sends on purpose.

use std::net::UdpSocket;
use std::time::Duration;

use crate::subject::Subject;

/// A small generator of numbers (xorshift), the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.next(256)).unwrap()
    }
}

/// A question for an address, with RFC 6891's record.
const QUESTION: &[u8] =
    b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\x01\x03app\x03mec\x08internal\0\0\x01\0\x01\0\0\x29\x10\0\0\0\0\0\0\0";

fn packet(random: &mut Random) -> Vec<u8> {
    match random.next(3) {
        0 => (0..random.next(600)).map(|_| random.byte()).collect(),
        1 => {
            let mut packet = QUESTION[..random.next(QUESTION.len() + 1)].to_vec();
            packet.extend((0..random.next(40)).map(|_| random.byte()));
            packet
        }
        _ => {
            let mut packet = QUESTION.to_vec();
            for _ in 0..=random.next(6) {
                let place = random.next(packet.len());
                packet[place] = random.byte();
            }
            packet
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_packet_stops_the_server() {
    let subject = Subject::start().await;
    subject
        .activate("a", "1", "app.mec.internal", "192.0.2.1", 60)
        .await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(subject.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut reply = [0; 4096];
    for round in 0_u16..20_000 {
        let sent = packet(&mut random);
        socket.send(&sent).unwrap();
        if round % 100 != 99 {
            continue;
        }
        let mut probe = QUESTION.to_vec();
        probe[..2].copy_from_slice(&round.to_be_bytes());
        probe[2] = 0x79;
        socket.send(&probe).unwrap();
        loop {
            let length = socket.recv(&mut reply).expect("the server answers still");
            assert!(length >= 12 && reply[2] & 0x80 != 0, "{:?}", &reply[..length]);
            if reply[..2] == round.to_be_bytes() && reply[2] == 0xF9 {
                break;
            }
        }
    }
    let status = subject.server.status();
    assert!(status.queries["malformed"] > 1000, "{:?}", status.queries);
    let outcomes: u64 = status.queries.values().sum();
    assert_eq!(
        outcomes, 20_200,
        "every packet has one outcome: {:?}",
        status.queries
    );
    subject
        .dig("app.mec.internal")
        .expect("NOERROR", &["app.mec.internal. 60 IN A 192.0.2.1"]);
}
