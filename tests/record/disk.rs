//! Disks that are full, slow or not writable: streams go on, and the operator is told.

use std::fs;
use std::process::Command;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::publisher::ffmpeg_forever;
use lianmai_tests::{Clip, Gateway, wait};

use crate::kit::{LIMIT, is_finished, list, path, probe, wait_duration, wait_records};

/// A small file system in memory; `None` if this process may not mount one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(name: &str, size: &str) -> Option<Self> {
        let folder = temp_dir(name);
        let args = ["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"];
        let mounted = Command::new("mount").args(args).arg(&folder).output();
        let done = mounted.is_ok_and(|output| output.status.success());
        if !done {
            println!("SKIPPED: no small disk: this test must run as root, with the right to mount");
        }
        done.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(&self.0).status();
    }
}

/// A viewer who gets frames now.
#[track_caller]
fn plays(gateway: &Gateway) {
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    wait::until_true("a viewer with frames", LIMIT, || viewer.frames(VIDEO).len() > 30);
}

fn failure(gateway: &Gateway) -> Option<String> {
    list(gateway, "x")["streams"][0]["failure"].as_str().map(str::to_owned)
}

#[test]
fn a_full_disk_ends_the_recording_and_nothing_else() {
    let Some(disk) = SmallDisk::mount("record-full", "6m") else { return };
    let gateway =
        Gateway::start(&["--record", "live/*", "--record-free", "0", "--data", disk.0.to_str().unwrap()]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    let before = wait_duration(&gateway, "x", 2000);
    // Another program fills the disk: `dd` writes until nothing fits.
    let filler = disk.0.join("filler");
    let _ =
        Command::new("dd").args(["if=/dev/zero", "bs=4096"]).arg(format!("of={}", filler.display())).output();
    let told = wait::until("the failure in the API", LIMIT, || failure(&gateway));
    assert!(told.contains("No space left"), "{told}");
    plays(&gateway);
    assert!(gateway.process.stderr().contains("recording failed"), "{}", gateway.process.stderr());
    let metric = |name: &str| {
        let text = gateway.get("/metrics").text();
        let line =
            text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default().to_owned();
        line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0)
    };
    assert!(metric("lianmai_record_errors_total") >= 1.0);
    wait::until_true("frames are counted as lost", LIMIT, || {
        metric("lianmai_record_lost_frames_total") > 0.0
    });
    // There is space again: the file is finished with all that was written, and another one is begun.
    fs::remove_file(&filler).unwrap();
    let records = wait_records(&gateway, "x", 2, |_| true);
    assert_eq!(records[0]["file"], before["file"]);
    let first = wait_records(&gateway, "x", 1, is_finished).remove(0);
    assert_eq!(first["file"], before["file"]);
    let found = probe(path(&disk.0, &first).to_str().unwrap());
    let least = before["duration_ms"].as_f64().unwrap() / 1000.0;
    assert!(found.duration >= least - 0.1, "{found:?}, and {least} s were there before");
    plays(&gateway);
}

#[test]
fn little_free_space_stops_recording_before_the_disk_is_full() {
    let gateway = Gateway::start(&["--record", "live/*", "--record-free", "9000000000000000000"]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    gateway.wait_published("x");
    let stopped = wait::until("the reason in the API", LIMIT, || {
        list(&gateway, "x")["stopped"].as_str().map(str::to_owned)
    });
    assert!(stopped.contains("--record-free"), "{stopped}");
    plays(&gateway);
    assert_eq!(list(&gateway, "x")["total"], 0);
    assert!(gateway.get("/metrics").text().lines().any(|line| line == "lianmai_record_stopped 1"));
    assert!(gateway.process.stderr().contains("recording stopped: the disk is too full"));
}

#[test]
fn a_folder_that_is_not_writable_is_reported_and_used_when_it_is() {
    let data = temp_dir("record-readonly");
    // A file where the folder would be: also root cannot write there.
    fs::write(data.join("records"), "").unwrap();
    let gateway = Gateway::start(&["--record", "live/*", "--data", data.to_str().unwrap()]);
    let _publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url("x"));
    gateway.wait_published("x");
    let told = wait::until("the failure in the API", LIMIT, || failure(&gateway));
    assert!(told.contains("cannot make a file"), "{told}");
    plays(&gateway);
    fs::remove_file(data.join("records")).unwrap();
    wait_duration(&gateway, "x", 1000);
}

#[test]
fn old_recordings_are_deleted_by_size_except_those_that_are_kept() {
    let data = temp_dir("record-size");
    let folder = data.join("records/live/x");
    let record = |flags: &[&str]| {
        let flags = [&["--data", data.to_str().unwrap()], flags].concat();
        Gateway::start(&flags)
    };
    let gateway = record(&["--record", "live/*", "--reconnect", "1"]);
    for count in 1..=3 {
        let mut publisher = lianmai_tests::publisher::ffmpeg(&Clip::VideoOnly.file(), &gateway.rtmp_url("x"));
        publisher.wait(LIMIT);
        wait_records(&gateway, "x", count, is_finished);
    }
    let records = wait_records(&gateway, "x", 3, is_finished);
    let name = |record: &serde_json::Value| record["file"].as_str().unwrap().to_owned();
    let address = format!("/api/v1/records/live/x/{}", name(&records[0]));
    let kept = crate::kit::api(&gateway, "PATCH", &address, &serde_json::json!({"keep": true}));
    assert_eq!(kept.status, 200, "{}", kept.text());
    drop(gateway);
    // One and a half recordings: the second goes, the first is kept, the third stays.
    let size = records[0]["bytes"].as_u64().unwrap() * 5 / 2;
    let gateway = record(&["--record", "live/*", "--record-max", &size.to_string()]);
    wait::until_true("the second recording to be deleted", LIMIT, || {
        !folder.join(name(&records[1])).exists()
    });
    let left = wait_records(&gateway, "x", 2, is_finished);
    assert_eq!([name(&left[0]), name(&left[1])], [name(&records[0]), name(&records[2])]);
    assert_eq!(left[0]["keep"], true);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), 5, "two recordings with their playlists, and a mark: {files:?}");
    drop(gateway);
    // By age: both are older than a second; the kept one stays.
    let gateway = record(&["--record", "live/*", "--record-keep", "1"]);
    wait::until_true("the third recording to be deleted", LIMIT, || !folder.join(name(&records[2])).exists());
    assert!(path(&data, &left[0]).exists());
    drop(gateway);
}
