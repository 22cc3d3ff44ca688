use tidegate_mqtt::QoS;

use super::*;
use crate::mark::Mark;

/// Streams 0, 1, 2 on topics a/0, a/1, b with QoS 0, 1, 2.
fn streams() -> Streams {
    let of = |topic: &str, qos| Stream::new(topic.into(), qos, true);
    Streams::new(vec![of("a/0", QoS::AtMostOnce), of("a/1", QoS::AtLeastOnce), of("b", QoS::ExactlyOnce)])
}

fn opened(streams: &Streams) -> Inbox {
    let mut inbox = Inbox::default();
    inbox.open([("a/+", QoS::ExactlyOnce), ("b", QoS::ExactlyOnce)].into_iter(), streams);
    inbox
}

fn mark(stream: u32, seq: u32) -> Mark {
    Mark { run: 1, stream, seq, due_micros: 0 }
}

/// Receives these numbers of a stream; a negative one has DUP.
fn receive(inbox: &mut Inbox, streams: &Streams, stream: u32, numbers: &[i32]) {
    for number in numbers {
        let topic = streams.get(stream).unwrap().topic.clone();
        inbox.see(mark(stream, number.unsigned_abs()), &topic, *number < 0, false, streams);
    }
}

fn judged(stream: u32, sent: u32, numbers: &[i32]) -> Verdict {
    let streams = streams();
    let mut inbox = opened(&streams);
    streams.set_sent(stream, sent);
    receive(&mut inbox, &streams, stream, numbers);
    inbox.judge(&streams)
}

#[test]
fn what_arrives_is_judged_by_its_qos() {
    let good = Verdict::default();
    for (stream, sent, numbers, expected) in [
        (1, 4, &[0, 1, 2, 3][..], Verdict { verified: 4, ..good }),
        (1, 0, &[], good),
        // Lost: in the middle, at the end, at the beginning.
        (1, 4, &[0, 3], Verdict { verified: 4, lost: 2, ..good }),
        (1, 4, &[0, 1], Verdict { verified: 4, lost: 2, ..good }),
        (2, 4, &[3], Verdict { verified: 4, lost: 3, ..good }),
        (0, 4, &[0, 3], Verdict { verified: 2, lost_qos0: 2, ..good }),
        // Again: as QoS 1 allows, without DUP, at QoS 2 and 0.
        (1, 3, &[0, 1, 2, -1, -2], Verdict { verified: 3, redelivered: 2, ..good }),
        (1, 3, &[0, 1, 2, 1], Verdict { verified: 3, duplicated: 1, ..good }),
        (2, 3, &[0, 1, 2, -2], Verdict { verified: 3, duplicated: 1, ..good }),
        (0, 2, &[0, 1, 1], Verdict { verified: 2, duplicated: 1, ..good }),
        // Late.
        (1, 4, &[0, 2, 1, 3], Verdict { verified: 4, reordered: 1, ..good }),
        (2, 5, &[4, 2, 0, 1, 3], Verdict { verified: 5, reordered: 4, ..good }),
        (0, 3, &[2, 0], Verdict { verified: 2, reordered: 1, lost_qos0: 1, ..good }),
    ] {
        assert_eq!(judged(stream, sent, numbers), expected, "stream {stream}: {numbers:?} of {sent}");
    }
}

#[test]
fn what_was_sent_before_the_subscription_may_come_or_not() {
    let streams = streams();
    streams.set_sent(1, 10);
    let mut inbox = opened(&streams);
    streams.set_sent(1, 12);
    receive(&mut inbox, &streams, 1, &[9, 10, 11]);
    assert_eq!(inbox.judge(&streams), Verdict { verified: 2, unjudged: 1, ..Verdict::default() });
}

#[test]
fn a_session_that_ends_excuses_its_tail_and_no_hole() {
    let streams = streams();
    let mut inbox = opened(&streams);
    streams.set_sent(1, 6);
    receive(&mut inbox, &streams, 1, &[0, 2]);
    inbox.close();
    assert!(inbox.is_complete(&streams));
    streams.set_sent(1, 8);
    inbox.open([("a/1", QoS::AtLeastOnce)].into_iter(), &streams);
    streams.set_sent(1, 10);
    assert!(!inbox.is_complete(&streams));
    receive(&mut inbox, &streams, 1, &[8, 9]);
    assert!(inbox.is_complete(&streams));
    assert_eq!(inbox.judge(&streams), Verdict { verified: 5, lost: 1, ..Verdict::default() });
}

#[test]
fn a_kept_session_goes_on_where_it_was() {
    let streams = streams();
    let mut inbox = opened(&streams);
    streams.set_sent(1, 4);
    receive(&mut inbox, &streams, 1, &[0, 1]);
    inbox.open([("a/1", QoS::AtLeastOnce)].into_iter(), &streams);
    receive(&mut inbox, &streams, 1, &[-1, 3]);
    assert_eq!(inbox.judge(&streams), Verdict { verified: 4, lost: 1, redelivered: 1, ..Verdict::default() });
}

#[test]
fn what_its_publisher_gave_up_or_sent_again_is_excused() {
    let streams = streams();
    let mut inbox = opened(&streams);
    streams.set_sent(1, 5);
    streams.abandon(1, 2);
    streams.abandon(1, 4);
    streams.resend(1, 1);
    receive(&mut inbox, &streams, 1, &[0, 3, 1, 1]);
    assert!(inbox.is_complete(&streams));
    assert_eq!(inbox.judge(&streams), Verdict { verified: 3, redelivered: 1, ..Verdict::default() });
}

#[test]
fn a_lower_grant_lowers_the_qos() {
    let streams = streams();
    let mut inbox = Inbox::default();
    inbox.open([("b", QoS::AtMostOnce)].into_iter(), &streams);
    streams.set_sent(2, 2);
    receive(&mut inbox, &streams, 2, &[1]);
    assert_eq!(inbox.judge(&streams), Verdict { verified: 1, lost_qos0: 1, ..Verdict::default() });
}

#[test]
fn wrong_topics_strangers_and_copies_are_told_apart() {
    let streams = streams();
    let mut inbox = Inbox::default();
    inbox.open(
        [("a/1", QoS::AtLeastOnce), ("a/#", QoS::AtMostOnce), ("$share/g/b", QoS::AtMostOnce)].into_iter(),
        &streams,
    );
    [0, 1, 2].into_iter().for_each(|stream| streams.set_sent(stream, 2));
    assert_eq!(inbox.see(mark(1, 0), "a/0", false, false, &streams), Seen::Known);
    assert_eq!(inbox.see(mark(77, 0), "a/0", false, false, &streams), Seen::Known);
    // Two filters match: two copies, of which the second is nobody's fault; the higher grant counts.
    receive(&mut inbox, &streams, 1, &[0, 0, 1]);
    receive(&mut inbox, &streams, 0, &[0, 1]);
    receive(&mut inbox, &streams, 2, &[1]);
    inbox.see(mark(1, 0), "a/1", false, true, &streams);
    inbox.see_foreign();
    let found = Verdict { verified: 4, misrouted: 2, unjudged: 3, foreign: 1, ..Verdict::default() };
    assert_eq!(inbox.judge(&streams), found);
    assert_eq!(found.faults(), ["2 on a wrong topic"]);
    let mut narrow = Inbox::default();
    narrow.open([("a/1", QoS::AtLeastOnce)].into_iter(), &streams);
    receive(&mut narrow, &streams, 2, &[0]);
    assert_eq!(narrow.judge(&streams).unexpected, 1);
}

#[test]
fn filters_find_their_streams_by_prefix() {
    let topics = ["a", "a/0", "a/1", "ab", "b", "b/0", "b/x/0", "$x/0"];
    let streams = Streams::new(topics.iter().map(|t| Stream::new((*t).into(), QoS::AtMostOnce, true)).collect());
    for (filter, expected) in [
        ("a/1", &["a/1"][..]),
        ("a/+", &["a/0", "a/1"]),
        ("a/#", &["a", "a/0", "a/1"]),
        ("#", &["a", "a/0", "a/1", "ab", "b", "b/0", "b/x/0"]),
        ("+/0", &["a/0", "b/0"]),
        ("b/+/0", &["b/x/0"]),
        ("$x/#", &["$x/0"]),
        ("c", &[]),
    ] {
        let mut found: Vec<&str> = streams.matching(filter).map(|n| topics[n as usize]).collect();
        found.sort_by_key(|topic| topics.iter().position(|t| t == topic));
        assert_eq!(found, expected, "{filter}");
    }
}
