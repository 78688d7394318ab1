use super::*;
use crate::compute::{Collection, default_options, set_default_options};
use crate::context::Context;
use crate::delayed::delayed;

#[test]
fn a_client_sets_the_defaults_until_it_is_dropped() {
    let _entered = Context::new().enter();
    let before = Options {
        threads: Some(7),
        ..Options::default()
    };
    set_default_options(before);
    let one = LocalCluster::builder().threads(1).build();
    let old = Client::new(&one);
    assert_eq!(default_options().threads, Some(1));
    // As in a notebook whose cell is run again: the new client is created before the
    // old one is dropped.
    let new = Client::new(&LocalCluster::new());
    drop(old);
    assert_eq!(default_options().threads, Some(pool::threads()));
    let clone = new.clone();
    drop(new);
    assert_eq!(default_options().threads, Some(pool::threads()));
    drop(clone);
    assert_eq!(default_options().threads, Some(7));
}

#[test]
fn a_cluster_counts_its_tasks() {
    let _entered = Context::new().enter();
    let cluster = LocalCluster::new();
    let client = Client::new(&cluster);
    let calls: Vec<_> = (0..10).map(|i| delayed(|i: i32| 2 * i).call(i)).collect();
    assert_eq!(
        client.gather(&calls).unwrap(),
        (0..10).map(|i| 2 * i).collect::<Vec<_>>()
    );
    let failing = delayed(|| -> i32 { panic!("on purpose") }).call();
    failing.compute().unwrap_err();
    let info = client.info();
    assert_eq!((info.running, info.finished, info.failed), (0, 10, 1));
}

#[test]
fn clusters_say_what_they_have() {
    let cluster = LocalCluster::builder()
        .threads(0)
        .memory_limit(1_234_000_000)
        .build();
    assert_eq!(
        cluster.to_string(),
        "LocalCluster(threads=1, memory=1.2 GB)"
    );
    let all = LocalCluster::builder().threads(usize::MAX).build();
    assert_eq!(all.info().threads, pool::threads());
    assert_eq!(all.info().memory, machine::memory());
}

#[test]
fn what_is_submitted_runs_by_itself() {
    let _entered = Context::new().enter();
    let client = Client::new(&LocalCluster::new());
    let (sender, receiver) = std::sync::mpsc::channel();
    let sent = client
        .submit(move |x: i32| sender.send(x).is_ok(), (5,))
        .unwrap();
    assert_eq!(receiver.recv(), Ok(5));
    let next = client
        .submit(|ok: bool, x: i32| if ok { x } else { -x }, (&sent, 3))
        .unwrap();
    assert_eq!(client.compute(&next).unwrap(), 3);
}
