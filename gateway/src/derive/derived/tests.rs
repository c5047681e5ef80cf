use super::*;
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, HubConfig, Publisher, StreamName};

/// A number of a ring.
#[derive(Debug, Clone, PartialEq)]
struct Number(i64);

impl Item for Number {
    fn key(&self) -> bool {
        true
    }
    fn size(&self) -> usize {
        1 << 20
    }
    fn time(&self) -> Micros {
        self.0
    }
}

/// A hundred numbers, after which the task ends or waits for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbers {
    ends: bool,
    name: &'static str,
}

impl Derivation for Numbers {
    type Item = Number;
    type Shared = &'static str;

    fn start(&self, stream: &Arc<Stream>, output: Output<Number>) -> Started<&'static str> {
        let (ends, stream) = (self.ends, stream.clone());
        let task = tokio::spawn(async move {
            let _held_while_it_runs = stream;
            (0..100).for_each(|number| output.push(Number(number)));
            if !ends {
                std::future::pending::<()>().await;
            }
        });
        Started { task: task.abort_handle(), shared: self.name }
    }
}

fn publisher() -> Publisher {
    let hub = Hub::new(HubConfig::default());
    hub.publish(&PublishGrant::for_job(&StreamName::parse("live/livestream").unwrap(), "test")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_task_serves_equal_keys_and_stops_with_the_last_holder() {
    let publisher = publisher();
    let stream = publisher.stream();
    let references = Arc::strong_count(stream);
    let key = |name| Numbers { ends: false, name };
    let first = Derived::of(stream, key("a"));
    let second = Derived::of(stream, key("a"));
    assert!(Arc::ptr_eq(&first.downgrade().upgrade().unwrap(), &second.downgrade().upgrade().unwrap()));
    assert_eq!(Arc::strong_count(stream), references + 1, "one task");
    let other = Derived::of(stream, key("b"));
    assert_eq!((*second.shared(), *other.shared()), ("a", "b"));
    assert_eq!(Arc::strong_count(stream), references + 2, "two tasks");
    let mut cursor = first.cursor(Start::Oldest);
    assert!(cursor.next().await.is_some());
    drop(first);
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(stream), references + 2, "the second one holds it");
    drop((second, other));
    // Reading on shows the end as soon as the task is gone.
    while cursor.next().await.is_some() {}
    assert_eq!(Arc::strong_count(stream), references, "no task is left");
}

#[tokio::test(start_paused = true)]
async fn a_ring_keeps_no_more_than_the_streams_own_and_ends_with_its_task() {
    let publisher = publisher();
    let derived = Derived::of(publisher.stream(), Numbers { ends: true, name: "c" });
    let mut reader = derived.cursor(Start::Key);
    while reader.next().await.is_some() {}
    let limit = publisher.stream().limits().bytes;
    let mut oldest = derived.cursor(Start::Oldest);
    let numbers: Vec<_> = std::iter::from_fn(|| oldest.try_next()).map(|number| number.0).collect();
    assert_eq!(numbers.len(), limit >> 20, "{numbers:?}");
    assert_eq!((derived.newest(), oldest.next().await), (Some(99), None));
}
