//! Jobs that take the place of a publisher, and clients that are found by an index. Time is virtual.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_job_fills_the_place_of_a_publisher_that_left_and_yields_to_every_other() {
    let hub = Hub::new(HubConfig::default());
    let grant = |job| PublishGrant::for_job(&name(), job);
    let video = config(Codec::H264);
    let mut first = hub.publish(&grant("test")).unwrap();
    first.push(frame(&video, 0, true));
    assert_eq!(
        hub.publish_filling(&grant("slate")).err(),
        Some(PublishError::Busy),
        "the publisher is there"
    );
    drop(first);
    assert_eq!(hub.publish_yielding(&grant("slate")).err(), Some(PublishError::Busy));
    let mut slate = hub.publish_filling(&grant("slate")).unwrap();
    slate.push(frame(&video, 0, true));
    assert_eq!(hub.publish_filling(&grant("slate")).err(), Some(PublishError::Busy), "only one of a kind");
    let mut pull = hub.publish_filling(&grant("pull")).unwrap();
    assert_eq!(slate.revoked().await, CloseReason::Replaced);
    pull.push(frame(&video, 0, true));
    let mut back = hub.publish(&grant("test")).unwrap();
    assert_eq!(pull.revoked().await, CloseReason::Replaced);
    back.push(frame(&video, 0, true));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(hub.publish_filling(&grant("slate")).err(), Some(PublishError::Busy));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(hub.publish_filling(&grant("slate")).is_ok(), "it has been silent for 5 s");
}

#[tokio::test(start_paused = true)]
async fn the_clients_of_a_seat_and_the_publishers_of_a_stream_are_found_by_an_index() {
    let (hub, clients) = (Hub::new(HubConfig::default()), Clients::new());
    let grant = PublishGrant::for_job(&name(), "test");
    let publisher = hub.publish(&grant).unwrap();
    let stream = publisher.stream().clone();
    let publishes = clients.add(&grant, &stream);
    let seat = |n: usize| Identity::Seat { room: "show".into(), id: n.to_string().into() };
    let group = |n: usize| ClientGroup::Seat { room: "show".into(), id: n.to_string().into() };
    // Two connections for each of a hundred seats.
    let grants: Vec<_> = (0..200).map(|n| PlayGrant::of_identity(&name(), seat(n / 2))).collect();
    let viewers: Vec<_> = grants.iter().map(|grant| clients.add(grant, &stream)).collect();
    assert_eq!(clients.groups(), 101);
    let closed = || viewers.iter().filter(|viewer| viewer.revocation().reason().is_some()).count();
    clients.close_group(&group(7), &CloseReason::Operator);
    assert!(viewers[14].revocation().reason().is_some() && viewers[15].revocation().reason().is_some());
    assert_eq!((closed(), publishes.revocation().reason()), (2, None));
    clients.close_group(&ClientGroup::Publishers(name()), &CloseReason::Operator);
    clients.close_group(&group(1_000), &CloseReason::Operator);
    assert_eq!((closed(), publishes.revocation().reason()), (2, Some(CloseReason::Operator)));
    drop((viewers, publishes));
    assert_eq!((clients.groups(), clients.list().len()), (0, 0));

    // Those who wait for a stream are found, too.
    let later = StreamName::parse("show/later").unwrap();
    let (ended, waits) = (PlayGrant::of_identity(&later, seat(1)), PlayGrant::of_identity(&later, seat(2)));
    let wait = Duration::from_secs(15);
    let end = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        hub.end_waiting_group(&group(1), &CloseReason::Operator);
    };
    let (ended, gone, ()) = tokio::join!(hub.play(&ended, wait), hub.play(&waits, wait), end);
    assert_eq!(ended.unwrap_err(), PlayError::Revoked(CloseReason::Operator));
    assert_eq!(gone.unwrap_err(), PlayError::NotFound);
    assert_eq!(hub.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_relay_yields_to_a_publisher_of_this_gateway_and_its_stream_is_remote_meanwhile() {
    let (hub, clients) = (Hub::new(HubConfig::default()), Clients::new());
    let video = config(Codec::H264);
    let mut relay = hub.publish_relayed(&PublishGrant::for_job(&name(), "cluster")).unwrap();
    relay.push(frame(&video, 0, true));
    let stream = relay.stream().clone();
    assert!(stream.remote());
    // The relay of a third node is no viewer, but needs the stream.
    let grant = PlayGrant::of_identity(&name(), Identity::Node("edge".into()));
    let node = clients.add(&grant, &stream);
    assert_eq!((stream.viewers(), stream.is_needed(), node.client().is_viewer()), (0, true, false));
    drop(node);
    assert!(!stream.is_needed());
    let mut own = hub.publish(&PublishGrant::for_job(&name(), "test")).unwrap();
    assert_eq!(relay.revoked().await, CloseReason::Replaced);
    assert!(!stream.remote());
    own.push(frame(&video, 0, true));
    let refused = hub.publish_relayed(&PublishGrant::for_job(&name(), "cluster"));
    assert_eq!(refused.err(), Some(PublishError::Busy));
    // A relay continues the stream of a publisher that has left this gateway, and takes the place of a slate.
    drop(own);
    let slate = hub.publish_filling(&PublishGrant::for_job(&name(), "slate")).unwrap();
    assert_eq!((stream.kind(), stream.remote()), (PublisherKind::Stopgap, false));
    let _relay = hub.publish_relayed(&PublishGrant::for_job(&name(), "cluster")).unwrap();
    assert_eq!(slate.revoked().await, CloseReason::Replaced);
    assert!(stream.remote());
}
