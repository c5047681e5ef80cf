use super::*;
use crate::core::auth::Auth;
use crate::limits::LimitSettings;

#[tokio::test(start_paused = true)]
async fn the_number_of_pictures_is_bounded() {
    let snapshots = Snapshots::new(Context::new(LimitSettings::default(), Auth::default()));
    let name = |n: usize| StreamName::parse(&format!("live/{n}")).unwrap();
    let slots: Vec<_> = (0..MAX_PICTURES).map(|n| snapshots.slot(&name(n)).unwrap()).collect();
    for slot in &slots {
        *slot.lock().await = Some((Instant::now(), Ok(Bytes::new())));
    }
    assert_eq!(snapshots.slot(&name(MAX_PICTURES)).unwrap_err().status, 503);
    assert!(snapshots.slot(&name(0)).is_ok());
    // Old pictures make place, but not while one of them is made.
    tokio::time::advance(INTERVAL).await;
    let _busy = slots[0].lock().await;
    assert!(snapshots.slot(&name(MAX_PICTURES)).is_ok());
    let kept: Vec<_> = snapshots.slots.lock().unwrap().keys().cloned().collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&name(0)) && kept.contains(&name(MAX_PICTURES)));
}

#[tokio::test]
async fn a_stream_that_is_not_there_has_no_picture() {
    let snapshots = Snapshots::new(Context::new(LimitSettings::default(), Auth::default()));
    let missing = snapshots.picture(&StreamName::parse("live/x").unwrap()).await.unwrap_err();
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(snapshots.slots.lock().unwrap().is_empty());
}
