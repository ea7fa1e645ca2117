//! Do cut, late and lost answers look on the wire as they should?

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Answer, Peer, Request, Running};
use crate::sim::client::{Reply, request, sent};
use crate::sim::faults::{Failing, Fault};

struct Echo;

impl Peer for Echo {
    type Op = u8;

    fn op(&self, request: &Request) -> u8 {
        u8::from(request.method == "PUT")
    }

    fn subjects(&self, request: &Request) -> Vec<String> {
        request.segments().into_iter().map(str::to_owned).collect()
    }

    fn answer(&self, _: &Request) -> Answer {
        Answer::new(200, "application/json", "{\"answer\":\"as it should be\"}").with("X-Echo", "yes")
    }

    fn failing(&self, _: &Request, _: Failing) -> Answer {
        Answer::new(503, "text/plain", "not now")
    }
}

fn echo() -> Running<Echo> {
    Running::start("sim-echo", Echo).unwrap()
}

async fn get(peer: &Running<Echo>) -> Result<Reply, reqwest::Error> {
    sent(request("GET", &format!("{}/7?a=b", peer.url()))).await
}

#[actix_rt::test]
async fn a_request_is_answered_and_recorded() {
    let peer = echo();
    let reply = get(&peer).await.unwrap();
    assert_eq!((reply.status, reply.header("x-echo")), (200, "yes"));
    let log = peer.shared().log.all();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].path_and_query.as_str(), log[0].status), ("/7?a=b", Some(200)));
    peer.shared().log.clear();
    assert_eq!(peer.shared().log.count(0), 0);
}

#[actix_rt::test]
async fn a_peer_that_is_down_refuses_connections_and_comes_back_at_the_same_address() {
    let peer = echo();
    let kept = crate::sim::client::client();
    let url = peer.url();
    assert!(kept.get(&url).send().await.is_ok());
    for _ in 0..3 {
        peer.go_down().unwrap();
        assert!(kept.get(&url).send().await.is_err(), "a connection from before is closed");
        let refused = get(&peer).await.unwrap_err();
        assert!(refused.is_connect(), "{refused:?}");
        peer.come_back().unwrap();
        assert!(kept.get(&url).send().await.is_ok());
    }
}

#[actix_rt::test]
async fn a_stopped_peer_is_gone_for_all_handles() {
    let peer = echo();
    peer.stop();
    assert!(get(&peer).await.unwrap_err().is_connect());
    assert!(peer.come_back().is_err());
}

#[actix_rt::test]
async fn faults_that_cut_the_connection_are_no_answer() {
    for fault in [Fault::Reset, Fault::AppliedButLost, Fault::CutBody, Fault::NotHttp] {
        let peer = echo();
        peer.faults_for_test(fault.clone());
        let error = get(&peer).await.expect_err(&format!("{fault:?} was answered"));
        assert!(!error.is_timeout(), "{fault:?}: {error:?}");
        assert!(get(&peer).await.is_ok(), "{fault:?} strikes once");
    }
}

#[actix_rt::test]
async fn faults_that_answer_say_what_they_should() {
    let cases = [
        (Fault::status(502), 502, "502"),
        (Fault::Garbage, 200, "not what was expected"),
        (Fault::Html, 200, "<form"),
        (Fault::AppliedButHtml, 200, "<form"),
        (Fault::Redirect("http://elsewhere/".to_owned()), 302, ""),
        (Fault::SilentDrop, 200, ""),
        (Fault::Failing(Failing::Maintenance), 503, "not now"),
        (Fault::Latency(Duration::from_millis(1)), 200, "as it should be"),
        (Fault::LateAnswer(Duration::from_millis(1)), 200, "as it should be"),
    ];
    for (fault, status, part) in cases {
        let peer = echo();
        peer.faults_for_test(fault.clone());
        let reply = get(&peer).await.unwrap();
        assert_eq!(reply.status, status, "{fault:?}");
        assert!(reply.text().contains(part), "{fault:?}: {}", reply.text());
    }
}

#[actix_rt::test]
async fn a_huge_answer_is_as_large_as_told() {
    let peer = echo();
    peer.faults_for_test(Fault::Huge(300_001));
    assert_eq!(get(&peer).await.unwrap().body.len(), 300_001);
}

#[actix_rt::test]
async fn a_hanging_peer_can_still_go_down() {
    let peer = echo();
    peer.faults_for_test(Fault::Hang);
    let hanging = actix_rt::spawn(sent(request("GET", &peer.url())));
    while peer.shared().log.count(0) == 0 {
        tokio::task::yield_now().await;
    }
    peer.go_down().unwrap();
    assert!(!hanging.await.unwrap().unwrap_err().is_timeout());
}

#[test]
fn a_repeated_slash_is_no_segment() {
    let request = Request::new("GET", "//library//sections/", BTreeMap::new(), Vec::new());
    assert_eq!(request.segments(), ["library", "sections"]);
}

impl Running<Echo> {
    fn faults_for_test(&self, fault: Fault) {
        self.shared().faults.inject(None, fault, 1);
    }
}
