//! `cargo xtask simulate [NODES] [STREAMS]`: a cluster that is too large for this machine, in virtual time.
//!
//! The state machines are those of the gateway: `Follow` decides from where each relay pulls, `choose` builds the trees,
//! `Absent` remembers names in vain, `judge` settles double claims. The network between them is made up here: its delays
//! are constants in `stream.rs`. Nothing passes or fails, except that exactly one of two claims has to stay.
//!
//! `plan` says who publishes, who watches and which nodes are lost. `stream` runs one stream, because streams do not
//! influence each other. `report` adds up and prints.

mod claims;
mod plan;
mod report;
mod stream;

use std::time::Instant;

use plan::Plan;
use report::Report;

/// Threads that simulate, each its share of the streams.
const THREADS: u32 = 2;

fn main() {
    let sizes: Result<Vec<u32>, _> = std::env::args().skip(1).map(|size| size.parse::<u32>()).collect();
    let (nodes, streams) = match sizes.as_deref() {
        Ok([]) => (1_000, 100_000),
        Ok([nodes, streams]) if *nodes >= 10 && *streams >= 1 => (*nodes, *streams),
        _ => {
            eprintln!(
                "simulate takes no arguments, or two numbers: at least 10 nodes, and at least 1 stream"
            );
            std::process::exit(2);
        }
    };
    let plan = Plan::new(nodes, streams);
    let began = Instant::now();
    let parts: Vec<Report> = std::thread::scope(|scope| {
        let plan = &plan;
        let workers: Vec<_> = (0..THREADS)
            .map(|worker| {
                scope.spawn(move || {
                    let mut report = Report::new(plan);
                    for stream in (worker..streams).step_by(THREADS as usize) {
                        stream::run(plan, stream, &mut report);
                    }
                    report
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    let mut total = Report::new(&plan);
    for part in parts {
        total.add(part);
    }
    total.print(&plan);
    claims::run();
    println!("\nsimulated {} s in {:.1} s", plan.end.as_secs(), began.elapsed().as_secs_f64());
}
