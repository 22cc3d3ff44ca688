//! The figures by name.
//!
//! AWS: developer guide, "AWS IoT metrics and dimensions": `Connect.Success` there is `tidegate_connect_success_total` here.

use std::fmt::Write;

use tidegate_broker::{Counters, Gauges};
use tidegate_logs::Tallies;
use tidegate_registry::Counts;

use super::{super::shadows::Accepted, Sources};

/// A figure: AWS's name, or none; ours; its kind; its value.
type Figure = (&'static str, &'static str, &'static str, f64);

/// All figures as Prometheus reads them.
pub(super) fn text(sources: &Sources) -> String {
    let Sources { broker, registry, book, store, shadows } = sources;
    let mut all = of_aws(&broker.counters(), &book.tallies(), &registry.directory().counts());
    all.extend(of_shadows(&shadows.accepted()));
    all.extend(own(&broker.counters(), &broker.gauges(), &registry.directory().counts()));
    all.push(("", "tidegate_log_entries_dropped_total", "counter", book.dropped() as f64));
    all.push(("", "tidegate_propagating_changes", "gauge", registry.propagating().0 as f64));
    all.push(("", "tidegate_commit_seconds", "gauge", store.committing_for().as_secs_f64()));
    write(&all)
}

fn write(figures: &[Figure]) -> String {
    let mut out = String::new();
    for (aws, name, kind, value) in figures {
        if !aws.is_empty() {
            writeln!(out, "# HELP {name} AWS/IoT {aws}").expect("a string takes all that is written");
        }
        writeln!(out, "# TYPE {name} {kind}\n{name} {value}").expect("a string takes all that is written");
    }
    out
}

/// Those that AWS has.
fn of_aws(counters: &Counters, tallies: &Tallies, counts: &Counts) -> Vec<Figure> {
    let count = |aws, name, value: u64| (aws, name, "counter", value as f64);
    vec![
        count("Connect.Success", "tidegate_connect_success_total", counters.connected),
        count("Connect.AuthError", "tidegate_connect_auth_error_total", tallies.connect_auth_error),
        count("Connect.ClientError", "tidegate_connect_client_error_total", tallies.connect_client_error),
        count("Connect.ServerError", "tidegate_connect_server_error_total", tallies.connect_server_error),
        count(
            "Connect.ClientIDThrottle",
            "tidegate_connect_client_id_throttle_total",
            counters.connect_client_throttled,
        ),
        count("Connect.Throttle", "tidegate_connect_throttle_total", counters.connect_throttled),
        count("Connection.AuthNError", "tidegate_connection_authn_error_total", tallies.authn_error),
        count("Ping.Success", "tidegate_ping_success_total", counters.pings),
        count("PublishIn.Success", "tidegate_publish_in_success_total", counters.messages_received),
        count("PublishIn.AuthError", "tidegate_publish_in_auth_error_total", counters.denied_publish),
        count("PublishIn.ClientError", "tidegate_publish_in_client_error_total", counters.publish_oversized),
        count("PublishIn.ServerError", "tidegate_publish_in_server_error_total", counters.dropped_memory),
        count("PublishIn.Throttle", "tidegate_publish_in_throttle_total", counters.publish_throttled),
        count("PublishRetained.Success", "tidegate_publish_retained_success_total", counters.retained_received),
        count("PublishOut.Success", "tidegate_publish_out_success_total", counters.messages_sent),
        count("PublishOut.AuthError", "tidegate_publish_out_auth_error_total", counters.denied_receive),
        count("PublishOut.ClientError", "tidegate_publish_out_client_error_total", counters.dropped_too_large),
        count("PublishOut.Throttle", "tidegate_publish_out_throttle_total", counters.dropped_qos0),
        count("Subscribe.Success", "tidegate_subscribe_success_total", counters.subscribed),
        count("Subscribe.AuthError", "tidegate_subscribe_auth_error_total", counters.denied_subscribe),
        count("Subscribe.Throttle", "tidegate_subscribe_throttle_total", counters.subscribe_throttled),
        count("Unsubscribe.Success", "tidegate_unsubscribe_success_total", counters.unsubscribed),
        count("Queued.Success", "tidegate_queued_success_total", counters.queued),
        count("Queued.Throttle", "tidegate_queued_throttle_total", counters.dropped_queue_full),
        (
            "ApproximateNumberOfThingsRegistered",
            "tidegate_approximate_number_of_things_registered",
            "gauge",
            counts.things as f64,
        ),
    ]
}

/// Those of AWS's shadow service.
fn of_shadows(accepted: &Accepted) -> Vec<Figure> {
    let count = |aws, name, value: u64| (aws, name, "counter", value as f64);
    vec![
        count("GetThingShadow.Accepted", "tidegate_get_thing_shadow_accepted_total", accepted.got),
        count("UpdateThingShadow.Accepted", "tidegate_update_thing_shadow_accepted_total", accepted.updated),
        count("DeleteThingShadow.Accepted", "tidegate_delete_thing_shadow_accepted_total", accepted.deleted),
    ]
}

/// Our own.
fn own(counters: &Counters, gauges: &Gauges, counts: &Counts) -> Vec<Figure> {
    let count = |name, value: u64| ("", name, "counter", value as f64);
    let gauge = |name, value: u64| ("", name, "gauge", value as f64);
    vec![
        gauge("tidegate_connections", gauges.clients_connected),
        gauge("tidegate_sessions", gauges.clients_total),
        gauge("tidegate_subscriptions", gauges.subscriptions),
        gauge("tidegate_retained_messages", gauges.retained),
        gauge("tidegate_message_memory_bytes", gauges.memory_bytes),
        gauge("tidegate_certificates", counts.certificates as u64),
        gauge("tidegate_ca_certificates", counts.ca_certificates as u64),
        gauge("tidegate_policies", counts.policies as u64),
        gauge("tidegate_thing_groups", counts.thing_groups as u64),
        count("tidegate_disconnects_total", counters.disconnected),
        count("tidegate_received_bytes_total", counters.bytes_received),
        count("tidegate_sent_bytes_total", counters.bytes_sent),
        count("tidegate_messages_expired_total", counters.dropped_expired),
        count("tidegate_messages_unrouted_total", counters.dropped_unrouted),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn connects_beyond_one_quota_are_not_taken_from_those_beyond_another() {
        let counts = Counts { certificates: 0, ca_certificates: 0, policies: 0, things: 0, thing_groups: 0 };
        let figure = |counters: Counters, name: &str| {
            let all = of_aws(&counters, &Tallies::default(), &counts);
            all.iter().find(|(_, known, ..)| *known == name).unwrap().3
        };
        for (of_client, others) in [(0, 3), (1, 3), (9, 3), (9, 4)] {
            let counters =
                Counters { connect_client_throttled: of_client, connect_throttled: others, ..Counters::default() };
            assert_eq!(figure(counters, "tidegate_connect_throttle_total"), others as f64);
            assert_eq!(figure(counters, "tidegate_connect_client_id_throttle_total"), of_client as f64);
        }
    }

    #[test]
    fn every_figure_has_a_name_of_its_own_that_prometheus_takes() {
        let counts = Counts { certificates: 1, ca_certificates: 2, policies: 3, things: 4, thing_groups: 5 };
        let counters = Counters { connected: 7, ..Counters::default() };
        let mut all = of_aws(&counters, &Tallies::default(), &counts);
        all.extend(of_shadows(&Accepted::default()));
        all.extend(own(&counters, &Gauges::default(), &counts));
        let names: HashSet<&str> = all.iter().map(|(_, name, ..)| *name).collect();
        assert_eq!(names.len(), all.len());
        for (aws, name, kind, _) in &all {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
            let snake = aws.chars().fold(String::new(), |mut out, c| {
                let starts = c.is_ascii_uppercase() && out.chars().next_back().is_some_and(|last| last != '_');
                if starts && !out.ends_with(|last: char| last.is_ascii_uppercase()) {
                    out.push('_');
                }
                out.push(if c == '.' { '_' } else { c });
                out
            });
            let expected =
                snake.to_ascii_lowercase().replace("auth_nerror", "authn_error").replace("idthrottle", "id_throttle");
            assert!(name.contains(&expected), "{aws} {name} {expected}");
        }
        let text = write(&all);
        assert!(text.starts_with("# HELP tidegate_connect_success_total AWS/IoT Connect.Success\n"));
        assert!(text.contains("# TYPE tidegate_connect_success_total counter\ntidegate_connect_success_total 7\n"));
    }
}
