use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::{Audio, Codec, Config, Format, Frame};
use tokio_util::sync::CancellationToken;

use super::catalog::{Catalog, MAX_RECORDINGS};
use super::file::OpenFile;
use super::finisher::{self, FinishError};
use super::records::MAX_WANTED;
use super::*;
use crate::context::Context;
use crate::core::auth::Auth;
use crate::core::hub::StreamName;
use crate::jobs::Jobs;
use crate::limits::LimitSettings;

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lianmai-record-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn name(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

fn opus() -> Arc<Config> {
    Arc::new(media::codec::opus::config_of_channels(2))
}

fn frame(config: &Arc<Config>, number: i64) -> Frame {
    let time = number * 20_000;
    Frame { number: 0, config: config.clone(), dts: time, pts: time, key: true, data: vec![0xfc; 50].into() }
}

/// A recording of ten seconds of audio that has no end yet.
fn recording(root: &Folder, stream: &StreamName) -> OpenFile {
    let config = opus();
    let begin = UNIX_EPOCH + Duration::from_secs(1_795_942_200);
    let mut file = OpenFile::begin(&root.0, stream, vec![config.clone()], begin).unwrap();
    (0..500).for_each(|n| file.push(&frame(&config, n)).unwrap());
    file
}

#[test]
fn a_file_that_was_cut_off_is_finished_and_stays_as_it_is_then() {
    let (root, stream) = (Folder::new("cut"), name("live/x"));
    let file = recording(&root, &stream);
    let catalog = Catalog::of(root.0.clone());
    let (path, list) = (catalog.path(&stream, &file.stem, "mp4"), catalog.path(&stream, &file.stem, "m3u8"));
    // In the middle of the last fragment, and of a line of the list.
    let cut = |path: &PathBuf, bytes: u64| {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
    };
    cut(&path, 100);
    cut(&list, 10);
    let before = fs::read(&path).unwrap();
    let finished = finisher::finish(&catalog, &stream, &file.stem).unwrap();
    assert!((9.3..9.7).contains(&finished.duration.as_secs_f64()), "{finished:?}");
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len() as u64, finished.size);
    assert_eq!(bytes[64..before.len()], before[64..], "the media stay where they were");
    let text = fs::read_to_string(&list).unwrap();
    assert!(text.starts_with("#EXTM3U") && text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
    assert_eq!(finisher::finish(&catalog, &stream, &file.stem).unwrap(), finished);
    assert_eq!((fs::read(&path).unwrap(), fs::read_to_string(&list).unwrap()), (bytes, text));
    assert_eq!(finisher::inspect(&fs::File::open(&path).unwrap()).unwrap(), Some(finished));
}

#[test]
fn a_list_that_was_written_meanwhile_is_the_one_that_is_made_again() {
    let (root, stream) = (Folder::new("list"), name("live/x"));
    let mut file = recording(&root, &stream);
    file.end().unwrap();
    let catalog = Catalog::of(root.0.clone());
    let list = catalog.path(&stream, &file.stem, "m3u8");
    let written = fs::read_to_string(&list).unwrap();
    assert!(written.matches("#EXTINF").count() >= 9, "{written}");
    fs::remove_file(&list).unwrap();
    finisher::finish(&catalog, &stream, &file.stem).unwrap();
    assert_eq!(fs::read_to_string(&list).unwrap(), written);
}

#[test]
fn a_file_that_is_no_recording_is_not_touched() {
    let (root, stream) = (Folder::new("foreign"), name("live/x"));
    let catalog = Catalog::of(root.0.clone());
    let stem = "2026-11-29T08-50-00Z";
    let path = catalog.path(&stream, stem, "mp4");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for bytes in [&b"some text"[..], b"", &[0; 500]] {
        fs::write(&path, bytes).unwrap();
        let error = finisher::finish(&catalog, &stream, stem).unwrap_err();
        assert!(matches!(error, FinishError::Format(_)), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    assert!(matches!(finisher::finish(&catalog, &stream, "none"), Err(FinishError::File(_))));
}

#[test]
fn recordings_of_the_same_second_have_names_of_their_own() {
    let (root, stream) = (Folder::new("second"), name("live/x"));
    let stems: Vec<String> = (0..3).map(|_| recording(&root, &stream).stem).collect();
    assert_eq!(stems, ["2026-11-29T08-50-00Z", "2026-11-29T08-50-00Z-2", "2026-11-29T08-50-00Z-3"]);
}

#[test]
fn a_codec_that_mp4_does_not_carry_is_named() {
    let root = Folder::new("codec");
    let format = Format::Audio(Audio { sample_rate: 8000, channels: 1 });
    let config = Config { codec: Codec::PcmAlaw, format, description: Default::default() };
    let error =
        OpenFile::begin(&root.0, &name("live/x"), vec![Arc::new(config)], SystemTime::now()).unwrap_err();
    assert!(error.to_string().contains("codec in MP4"), "{error}");
    assert_eq!(fs::read_dir(&root.0).unwrap().count(), 0);
}

#[test]
fn the_list_of_recordings_is_bounded() {
    let catalog = Catalog::default();
    let file = |n: usize| RecordedFile {
        stream: name("live/x"),
        stem: n.to_string(),
        begin: UNIX_EPOCH,
        state: RecordState::Finished,
        size: 1,
        duration: Duration::ZERO,
        keep: false,
        place: Place::default(),
    };
    assert!((0..MAX_RECORDINGS).all(|n| catalog.add(file(n))));
    assert!(!catalog.add(file(MAX_RECORDINGS)));
    assert_eq!(catalog.totals(), (MAX_RECORDINGS, MAX_RECORDINGS as u64));
}

#[tokio::test]
async fn the_number_of_streams_that_are_recorded_by_request_is_bounded() {
    let data = Folder::new("wanted");
    let (records, stop) = (Records::new(&RecordSettings::default(), &data.0), CancellationToken::new());
    assert!(matches!(records.start(&name("live/x")), Err(RecordError::Unavailable(_))));
    let context = Context::new(LimitSettings::default(), Auth::default());
    records.begin(&context, &Jobs::default(), &stop).unwrap();
    assert!((0..MAX_WANTED).all(|n| records.start(&name(&format!("live/{n}"))).is_ok()));
    assert_eq!(records.start(&name("live/x")), Err(RecordError::TooMany));
    assert_eq!(records.start(&name("live/0")), Ok(()));
    assert_eq!(records.stop(&name("live/0")), Ok(()));
    assert_eq!(records.stop(&name("live/0")), Err(RecordError::Unknown));
    assert_eq!(records.start(&name("live/x")), Ok(()));
    stop.cancel();
    tokio::task::spawn_blocking(move || records.end(Duration::from_secs(60))).await.unwrap();
}
