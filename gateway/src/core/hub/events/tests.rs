use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use media::{Audio, Codec, Config, Format, Frame, TrackId};

use super::{Happened, HubEvents, MAX_EVENTS, NextEvent};
use crate::core::admission::{PlayGrant, PublishGrant};
use crate::core::hub::{Clients, Hub, HubConfig, Origin, PlayError, StreamName};

fn name() -> StreamName {
    StreamName::parse("live/x").unwrap()
}

fn frame(dts: i64) -> Frame {
    let format = Format::Audio(Audio { sample_rate: 48_000, channels: 2 });
    let config = Arc::new(Config { codec: Codec::Opus, format, description: Bytes::new() });
    Frame { number: 0, config, dts, pts: dts, key: true, data: Bytes::from_static(b"opus") }
}

/// Returns all changes so far, in order.
async fn heard(events: &mut HubEvents) -> Vec<Happened> {
    let mut all = Vec::new();
    while let Ok(Some(NextEvent::Event(event))) =
        tokio::time::timeout(Duration::from_millis(1), events.next()).await
    {
        assert_eq!(event.stream, name());
        all.push(event.happened);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_streams_life_is_told_in_order() {
    let hub = Hub::new(HubConfig::default());
    let (mut events, clients) = (hub.events(), Clients::new());
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    publisher.announce(true, false);
    publisher.push(frame(0));
    let play = PlayGrant::for_job(&name(), "test");
    let stream = hub.play(&play, Duration::from_secs(1)).await.unwrap();
    let first = clients.add(&play, &stream);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let second = clients.add(&play, &stream);
    publisher.push(frame(1000));
    drop(publisher);
    let back = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    drop((first, second));
    drop(back);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let config = Happened::ConfigChanged(TrackId::AUDIO);
    assert_eq!(
        heard(&mut events).await,
        [
            Happened::Started,
            config.clone(),
            Happened::Viewers(1),
            Happened::Viewers(2),
            config,
            Happened::Paused,
            Happened::Resumed,
            Happened::Paused,
            // The number changed twice within half a second.
            Happened::Viewers(0),
            Happened::Ended,
        ]
    );
    drop((hub, stream));
}

#[tokio::test]
async fn a_slow_listener_hears_how_much_it_missed_and_goes_on() {
    let hub = Hub::new(HubConfig::default());
    let mut events = hub.events();
    // A publisher who leaves without a frame causes three events.
    (0..MAX_EVENTS).for_each(|_| drop(hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap()));
    assert_eq!(events.next().await, Some(NextEvent::Missed(2 * MAX_EVENTS as u64)));
    assert_eq!(heard(&mut events).await.len(), MAX_EVENTS);
}

#[tokio::test(start_paused = true)]
async fn viewers_who_connect_and_disconnect_quickly_cause_few_events() {
    let hub = Hub::new(HubConfig::default());
    let (mut events, clients) = (hub.events(), Clients::new());
    let publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let (play, stream) = (PlayGrant::for_job(&name(), "test"), publisher.stream().clone());
    (0..MAX_EVENTS).for_each(|_| drop(clients.add(&play, &stream)));
    let viewers: Vec<_> = (0..3).map(|_| clients.add(&play, &stream)).collect();
    assert_eq!(heard(&mut events).await, [Happened::Started, Happened::Viewers(1)]);
    tokio::time::sleep(Duration::from_millis(490)).await;
    assert_eq!(heard(&mut events).await, []);
    // The last number is always reported.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(heard(&mut events).await, [Happened::Viewers(3)]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(heard(&mut events).await, []);
    // After a quiet time a change is reported at once, and the last one before the end of the stream.
    let mut viewers = viewers.into_iter();
    drop(viewers.next());
    assert_eq!(heard(&mut events).await, [Happened::Viewers(2)]);
    drop(viewers.next());
    drop(publisher);
    assert_eq!(heard(&mut events).await, [Happened::Paused, Happened::Viewers(1), Happened::Ended]);
    // Another stream may have the name by now.
    drop(viewers);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(heard(&mut events).await, []);
}

#[tokio::test(start_paused = true)]
async fn configuration_changes_with_each_frame_are_reported_rarely() {
    let hub = Hub::new(HubConfig::default());
    let mut events = hub.events();
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    let mut told = Vec::new();
    for second in 0..60 {
        for n in 0..50 {
            // Each frame has its own configuration.
            publisher.push(frame((second * 50 + n) * 20_000));
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        told.push(heard(&mut events).await.len());
    }
    assert!(told[0] <= 10 && told[1..].iter().all(|count| *count == 1), "{told:?}");
    // The last change is reported as soon as the limit permits.
    let same = frame(60_000_000);
    for n in 0..3 {
        publisher.push(Frame { dts: same.dts + n, ..same.clone() });
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let last = heard(&mut events).await.len();
    assert!((1..=2).contains(&last), "{last}");
    tokio::time::advance(Duration::from_secs(60)).await;
    publisher.push(Frame { dts: same.dts + 3, ..same });
    assert!(heard(&mut events).await.is_empty(), "nothing has changed since");
}

#[derive(Debug, Clone, Default)]
struct Asked(Arc<Mutex<Vec<StreamName>>>);

impl Origin for Asked {
    fn wanted(&self, stream: &StreamName) -> bool {
        self.0.lock().unwrap().push(stream.clone());
        stream.app() == "live"
    }
}

#[tokio::test(start_paused = true)]
async fn the_origin_is_asked_once_per_waiting_viewer_and_may_bring_the_stream() {
    let (hub, asked, second) = (Hub::new(HubConfig::default()), Asked::default(), Asked::default());
    hub.add_origin(Arc::new(asked.clone()));
    hub.add_origin(Arc::new(second.clone()));
    let wait = {
        let hub = hub.clone();
        let grant = PlayGrant::for_job(&name(), "test");
        tokio::spawn(async move { hub.play(&grant, Duration::from_secs(10)).await.is_ok() })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(*asked.0.lock().unwrap(), [name()]);
    // Other streams start and end meanwhile.
    drop(hub.publish(&PublishGrant::for_job(&StreamName::parse("live/other").unwrap(), "test")));
    let mut publisher = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    publisher.announce(true, false);
    publisher.push(frame(0));
    assert!(wait.await.unwrap());
    assert_eq!(asked.0.lock().unwrap().len(), 1);
    // A caller that does not wait does not ask the origin, and an existing stream needs no origin.
    assert!(!hub.is_on_air(&StreamName::parse("live/none").unwrap()));
    assert!(hub.play(&PlayGrant::for_job(&name(), "test"), Duration::from_secs(1)).await.is_ok());
    assert_eq!(asked.0.lock().unwrap().len(), 1);
    // The second origin is asked for what the first is not responsible for.
    let other = StreamName::parse("show/x").unwrap();
    let missing = hub.play(&PlayGrant::for_job(&other, "test"), Duration::from_secs(1)).await;
    assert_eq!(missing.unwrap_err(), PlayError::NotFound);
    assert_eq!(asked.0.lock().unwrap().len(), 2);
    assert_eq!(*second.0.lock().unwrap(), [other]);
}
