//! Bounds of what is fetched from other nodes.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::cache::{MAX_FETCHES, MAX_KEPT};
use super::stream::MAX_KNOWN;
use super::*;
use crate::edges::hls::dropped_segments::Data;

fn key(number: u64) -> cache::Key {
    (StreamName::parse("live/x").expect("a name"), 1, number)
}

#[tokio::test]
async fn viewers_share_one_request_for_a_segment_and_it_outlives_them() {
    let (cache, requests, go) =
        (Cache::default(), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let ask = || {
        let (cache, requests, go) = (cache.clone(), requests.clone(), go.clone());
        tokio::spawn(async move {
            let fetch = move |_| async move {
                requests.fetch_add(1, Ordering::Relaxed);
                drop(go.acquire().await);
                Ok(Data::new(Bytes::from_static(b"segment")))
            };
            cache.get(key(1), fetch).await
        })
    };
    let first = ask();
    while requests.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (0..49).map(|_| ask()).collect();
    tokio::task::yield_now().await;
    first.abort();
    go.add_permits(1);
    for other in others {
        assert_eq!(other.await.unwrap().unwrap().len(), 7);
    }
    assert_eq!((requests.load(Ordering::Relaxed), cache.bytes()), (1, 7));
    assert!(cache.kept(&key(1)).is_some());
    cache.forget(&key(1).0);
    assert!(cache.kept(&key(1)).is_none() && cache.bytes() == 0);
}

#[tokio::test]
async fn requests_at_the_same_time_are_bounded_and_failures_are_not_kept() {
    let cache = Cache::default();
    let go = Arc::new(Semaphore::new(0));
    let asked: Vec<_> = (0..MAX_FETCHES as u64)
        .map(|n| {
            let (cache, go) = (cache.clone(), go.clone());
            tokio::spawn(async move {
                let fetch = move |_| async move {
                    drop(go.acquire().await);
                    Err(FetchError::Away)
                };
                cache.get(key(n), fetch).await.map(drop)
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let fine = |_| async { Ok(Data::new(Bytes::from_static(b"x"))) };
    assert_eq!(cache.get(key(99), fine).await.map(drop), Err(FetchError::Busy));
    go.add_permits(MAX_FETCHES);
    for one in asked {
        assert_eq!(one.await.unwrap(), Err(FetchError::Away));
    }
    assert!(cache.get(key(99), fine).await.is_ok() && cache.get(key(0), fine).await.is_ok());
}

#[tokio::test]
async fn the_bytes_that_are_kept_are_bounded() {
    let cache = Cache::default();
    // One allocation for all.
    let (size, bytes) = (8 << 20, Bytes::from(vec![0; 8 << 20]));
    let most = (MAX_KEPT / size) as u64;
    for n in 0..=most {
        let bytes = bytes.clone();
        assert!(cache.get(key(n), move |_| async move { Ok(Data::new(bytes)) }).await.is_ok());
    }
    assert_eq!(cache.bytes(), MAX_KEPT);
    assert!(cache.kept(&key(0)).is_none() && cache.kept(&key(1)).is_some());
}

#[tokio::test]
async fn only_segments_that_were_listed_lately_are_asked_for() {
    let stream = RemoteStream::new(StreamName::parse("live/x").expect("a name"));
    let owner = crate::cluster::protocol::Owner {
        node: crate::cluster::NodeName::parse("a").unwrap(),
        url: String::new(),
        region: String::new(),
        since: 1,
        silence_ms: 0,
        parents: Vec::new(),
        is_full: false,
        key_on_request: false,
    };
    stream.set_owner(Some(Arc::new(owner)));
    let list = |n: u64| {
        format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{}\n#EXTINF:2,\nx-100-{n}.ts\n",
            100 + n
        )
    };
    for n in 0..MAX_KNOWN as u64 + 3 {
        assert_eq!(stream.update("a", &list(n)), Some(true));
    }
    let last = MAX_KNOWN as u64 + 2;
    assert_eq!(stream.version(), format!("100-{}", 100 + last + 1));
    for (number, known) in [(2, false), (3, true), (last, true), (last + 2, true), (last + 3, false)] {
        assert_eq!(stream.owner_of(100, number).await.is_ok(), known, "{number}");
    }
    assert!(stream.owner_of(99, last).await.is_err());
    assert_eq!(stream.update("a", "<html>"), None);
    assert_eq!(stream.update("a", "#EXTM3U\n#EXTINF:2,\nhttp://other/x-1-1.ts\n"), None);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_streams_that_are_looked_for_is_bounded() {
    let context = Context::new(crate::limits::LimitSettings::default(), crate::core::auth::Auth::default());
    let remotes = Remotes::new(LateCluster::default(), &context, Arc::new(Sessions::new(60)));
    let name = |n: usize| StreamName::parse(&format!("live/{n}")).expect("a name");
    assert!(remotes.follow(&name(0)).unwrap().is_none(), "there is no cluster");
    for n in 0..MAX_FOLLOWED {
        remotes.streams().insert(name(n), Arc::new(RemoteStream::new(name(n))));
    }
    assert!(remotes.has_room(&name(5)) && !remotes.has_room(&name(MAX_FOLLOWED)));
    let first = remotes.known(&name(0)).unwrap();
    assert!(!remotes.end_unasked(&first));
    tokio::time::advance(LINGER).await;
    assert!(remotes.end_unasked(&first) && remotes.has_room(&name(MAX_FOLLOWED)));
}
