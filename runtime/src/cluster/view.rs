//! Shows clusters and clients in a cell and in lists of variables.

use super::{Client, ClusterInfo, LocalCluster};
use crate::compute::describe::Describe;
use crate::display::text::{bytes, counted};
use crate::display::{Bundle, ClusterView, Show};
use crate::error::Result;
use swath_channel::Description;

impl Show for LocalCluster {
    fn show(&self) -> Result<Bundle> {
        cluster_view("LocalCluster", &self.info()).show()
    }
}

impl Show for Client {
    fn show(&self) -> Result<Bundle> {
        cluster_view("Client", &self.info()).show()
    }
}

fn cluster_view(name: &str, info: &ClusterInfo) -> ClusterView {
    ClusterView {
        name: name.to_owned(),
        place: "threads of this process".to_owned(),
        threads: info.threads,
        memory_total_bytes: info.memory as usize,
        memory_used_bytes: info.used as usize,
        running: info.running,
        failed: info.failed,
        done: info.finished,
        more: Vec::new(),
    }
}

fn cluster(info: &ClusterInfo) -> Description {
    Description {
        summary: format!(
            "{}, {}",
            counted(info.threads, "thread"),
            bytes(info.memory as usize)
        ),
        ..Description::default()
    }
}

impl Describe for LocalCluster {
    fn describe(&self) -> Description {
        cluster(&self.info())
    }
}

impl Describe for Client {
    fn describe(&self) -> Description {
        cluster(&self.info())
    }
}
