//! `/metrics` for Prometheus: counters that connections update, and gauges that are read on request.

pub mod process;

use std::fmt::Write as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::context::Context;
use crate::derive::transcode::{AudioTarget, Reencoders, TranscodeStats, counted};
use crate::net::tls::EXPIRES;
use crate::net::worker::{Gate, STALLED, STALLS};

/// Installs the recorder of all counters, once per process.
fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder takes the metrics");
        }
        describe();
        handle
    })
}

/// Starts to count. Counters used before stay at 0.
pub fn install() {
    recorder();
}

fn describe() {
    use metrics::describe_counter as counter;
    counter!("lianmai_received_bytes_total", "Bytes read from connections.");
    counter!("lianmai_sent_bytes_total", "Bytes written to connections.");
    counter!(
        "lianmai_slow_answers_total",
        "HTTP responses that were aborted because a client read them too slowly."
    );
    counter!(
        "lianmai_answers_refused_total",
        "HTTP requests refused because too many responses were unsent."
    );
    counter!("lianmai_closed_total", "Publishers and viewers disconnected or refused, by reason.");
    counter!("lianmai_bad_frames_total", "Tags and messages that could not be read and were ignored.");
    counter!("lianmai_dropped_messages_total", "Publishers' messages to viewers that were over the limits.");
    counter!(
        "lianmai_stalled_connections_total",
        "Connections ended because they took no bytes for too long."
    );
    counter!(
        "lianmai_failed_handshakes_total",
        "HTTPS and RTMPS connections that ended before the TLS handshake was complete."
    );
    counter!("lianmai_forward_sent_bytes_total", "Bytes sent to other servers by forwards.");
    counter!(
        "lianmai_forward_failures_total",
        "Connections of forwards that failed or ended before their stream."
    );
    counter!(
        "lianmai_forward_skips_total",
        "Batches that targets of forwards missed because they were too slow."
    );
    counter!("lianmai_pull_received_bytes_total", "Bytes of media received by pulls.");
    counter!("lianmai_pull_failures_total", "Connections of pulls that failed or ended.");
    counter!("lianmai_cluster_received_bytes_total", "Bytes received from other nodes of the cluster.");
    counter!("lianmai_cluster_failures_total", "Connections to other nodes that failed.");
    counter!("lianmai_cluster_hls_playlists_total", "Requests for HLS playlists to other nodes.");
    counter!("lianmai_cluster_hls_received_bytes_total", "Bytes of HLS segments received from other nodes.");
    counter!("lianmai_cluster_hls_served_total", "HLS files sent to other nodes, by file.");
    counter!("lianmai_cluster_relays_refused_total", "Streams that were not relayed: too many.");
    counter!(
        "lianmai_cluster_dropped_messages_total",
        "Messages to other nodes that were dropped: too many."
    );
    counter!("lianmai_cluster_bad_messages_total", "Messages of other nodes that could not be read.");
    counter!("lianmai_cluster_unmetered_sessions_total", "Sessions that were not metered: too many streams.");
    counter!(STALLS, "Times that a worker thread has not run its tasks for 1 s.");
    metrics::describe_gauge!(STALLED, "Worker threads that have not run their tasks for 1 s.");
    metrics::gauge!(STALLED).increment(0.0);
    metrics::describe_gauge!("lianmai_rooms", "Rooms.");
    metrics::describe_gauge!("lianmai_room_sockets", "Sockets of clients in rooms.");
    metrics::describe_gauge!("lianmai_recordings", "Recordings that grow now.");
    metrics::describe_gauge!(
        "lianmai_record_stopped",
        "1 while nothing is recorded because the disk is too full."
    );
    metrics::describe_gauge!("lianmai_record_stored_bytes", "Bytes of all recordings.");
    counter!("lianmai_record_bytes_total", "Bytes written to recordings.");
    counter!("lianmai_record_lost_frames_total", "Frames that are not in a recording: slow or full disk.");
    counter!("lianmai_record_errors_total", "Times that a recording could not be written or finished.");
    counter!("lianmai_chat_log_lost_total", "Chat messages that were not logged.");
    counter!("lianmai_hook_questions_total", "Clients about which a back end was asked, by its answer.");
    counter!("lianmai_hook_lost_total", "Hooks that were dropped or given up, by reason.");
    metrics::describe_gauge!(EXPIRES, "When the certificate of HTTPS expires, in seconds since 1970.");
    for (name, label, values) in [
        ("lianmai_hook_questions_total", "answer", ["yes", "no", "none"].as_slice()),
        ("lianmai_hook_lost_total", "reason", ["queue_full", "given_up"].as_slice()),
    ] {
        values.iter().for_each(|value| metrics::counter!(name, label => *value).increment(0));
    }
    counter!("lianmai_session_lines_lost_total", "Ended sessions that were not logged.");
    for name in [
        "lianmai_received_bytes_total",
        "lianmai_session_lines_lost_total",
        "lianmai_sent_bytes_total",
        "lianmai_bad_frames_total",
        "lianmai_dropped_messages_total",
        "lianmai_stalled_connections_total",
        "lianmai_failed_handshakes_total",
        "lianmai_forward_sent_bytes_total",
        "lianmai_forward_failures_total",
        "lianmai_forward_skips_total",
        "lianmai_pull_received_bytes_total",
        "lianmai_pull_failures_total",
        "lianmai_cluster_received_bytes_total",
        "lianmai_cluster_failures_total",
        "lianmai_cluster_relays_refused_total",
        "lianmai_cluster_dropped_messages_total",
        "lianmai_cluster_bad_messages_total",
        "lianmai_cluster_unmetered_sessions_total",
        "lianmai_record_bytes_total",
        "lianmai_record_lost_frames_total",
        "lianmai_record_errors_total",
        STALLS,
    ] {
        // Shown as 0 before the first event.
        metrics::counter!(name).increment(0);
    }
}

/// Returns all metrics in Prometheus' text format. `known` are the protocols of all services.
pub fn render(context: &Context, gate: &Gate, known: &[&'static str]) -> String {
    let mut out = recorder().render();
    let (streams, clients) = (context.hub.streams(), context.clients.list());
    let publishing = streams.iter().filter(|s| s.publishing().is_some()).count();
    gauge(&mut out, "streams", "Streams, including those whose publisher may return.", streams.len() as f64);
    gauge(&mut out, "publishers", "Streams that are published now.", publishing as f64);

    family(&mut out, "viewers", "gauge", "Players that receive a stream now.");
    // Known protocols are listed even without viewers.
    let mut protocols = known.to_vec();
    for protocol in clients.iter().map(|c| c.info.protocol) {
        if !protocols.contains(&protocol) {
            protocols.push(protocol);
        }
    }
    for protocol in protocols {
        let viewers = clients.iter().filter(|c| c.is_viewer() && c.info.protocol == protocol);
        sample(&mut out, "viewers", &format!("{{protocol=\"{protocol}\"}}"), viewers.count() as f64);
    }

    let stats: Vec<_> = streams.iter().map(|s| (format!("{{stream=\"{}\"}}", s.name()), s.stats())).collect();
    family(&mut out, "stream_frames_total", "counter", "Frames published, both tracks.");
    for (label, stats) in &stats {
        sample(&mut out, "stream_frames_total", label, stats.frames as f64);
    }
    family(&mut out, "stream_received_bytes_total", "counter", "Bytes of frames published.");
    for (label, stats) in &stats {
        sample(&mut out, "stream_received_bytes_total", label, stats.received as f64);
    }
    family(&mut out, "stream_sent_bytes_total", "counter", "Bytes sent to viewers.");
    for (label, stats) in &stats {
        sample(&mut out, "stream_sent_bytes_total", label, stats.sent as f64);
    }

    family(&mut out, "skipped_total", "counter", "Frames that slow viewers missed.");
    sample(&mut out, "skipped_total", "", context.clients.skipped() as f64);
    let mut lags: Vec<f64> = clients.iter().filter_map(|c| c.lag()).map(|lag| lag as f64 / 1e6).collect();
    lags.sort_by(f64::total_cmp);
    family(&mut out, "viewer_lag_seconds", "gauge", "How far viewers are behind what was published last.");
    for (quantile, part) in [("0.5", 0.5), ("0.95", 0.95), ("1", 1.0)] {
        let lag = lags.get(((lags.len().max(1) - 1) as f64 * part) as usize).copied().unwrap_or(0.0);
        sample(&mut out, "viewer_lag_seconds", &format!("{{quantile=\"{quantile}\"}}"), lag);
    }

    transcoding(&mut out);
    reencoders(&mut out, &context.reencoders);
    gauge(&mut out, "connections", "Connections now.", gate.open() as f64);
    family(&mut out, "connections_refused_total", "counter", "Connections over the limit.");
    sample(&mut out, "connections_refused_total", "", gate.refused() as f64);
    let help = "Connections that have not asked to publish or play yet.";
    gauge(&mut out, "pending_connections", help, context.pending.open() as f64);
    family(
        &mut out,
        "pending_refused_total",
        "counter",
        "Connections refused because too many were pending.",
    );
    sample(&mut out, "pending_refused_total", "", context.pending.refused() as f64);
    gauge(&mut out, "process_memory_bytes", "Resident memory.", process::memory() as f64);
    family(&mut out, "process_cpu_seconds_total", "counter", "Processor time used.");
    sample(&mut out, "process_cpu_seconds_total", "", process::cpu().as_secs_f64());
    out
}

fn reencoders(out: &mut String, reencoders: &Reencoders) {
    let help = "Streams whose video is being encoded again, without B-frames.";
    gauge(out, "reencoders", help, reencoders.running() as f64);
    gauge(
        out,
        "reencoders_max",
        "Maximum number of streams whose video may be encoded at the same time.",
        reencoders.most() as f64,
    );
    let help = "Encoder processes started.";
    family(out, "reencoders_started_total", "counter", help);
    sample(out, "reencoders_started_total", "", reencoders.started() as f64);
    let help = "Times that a stream had to wait because too many streams were being encoded.";
    family(out, "reencoders_refused_total", "counter", help);
    sample(out, "reencoders_refused_total", "", reencoders.refused() as f64);
}

fn transcoding(out: &mut String) {
    type Read = fn(&TranscodeStats) -> f64;
    let families: [(&str, &str, &str, Read); 6] = [
        ("transcoders", "gauge", "Streams whose audio is transcoded now.", |c| c.running as f64),
        ("transcoded_seconds_total", "counter", "Duration of the transcoded audio.", |c| {
            c.made.as_secs_f64()
        }),
        ("transcoding_busy_seconds_total", "counter", "Processor time of transcoding.", |c| {
            c.busy.as_secs_f64()
        }),
        ("transcoding_concealed_total", "counter", "Audio packets that were replaced by silence.", |c| {
            c.concealed as f64
        }),
        ("transcoding_broken_total", "counter", "Audio packets that could not be decoded.", |c| {
            c.broken as f64
        }),
        ("transcoding_late_total", "counter", "Audio packets that were dropped for lack of time.", |c| {
            c.late as f64
        }),
    ];
    for (name, kind, help, read) in families {
        family(out, name, kind, help);
        for target in AudioTarget::ALL {
            sample(out, name, &format!("{{to=\"{}\"}}", target.name()), read(&counted(target)));
        }
    }
}

// Writing to a String cannot fail.

/// Begins a family of metrics.
pub fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP lianmai_{name} {help}\n# TYPE lianmai_{name} {kind}");
}

/// Adds a line to the family. `labels` is empty, or labels in braces.
pub fn sample(out: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(out, "lianmai_{name}{labels} {value}");
}

/// Adds a family with one line.
pub fn gauge(out: &mut String, name: &str, help: &str, value: f64) {
    family(out, name, "gauge", help);
    sample(out, name, "", value);
}
