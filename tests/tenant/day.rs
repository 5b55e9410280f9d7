//! The storm once more in this process, on several seeds: the house dies at any step, also between a claim and its
//! request, and hours pass until everything is verified.

use crate::cast::{self, Kind, Part};
use crate::census::{Cost, census, cost};
use crate::desk::faults::{Does, Fault};
use crate::inside::World;
use handoffd::ledger::states::HandoffState;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::io::Write as _;

const SEEDS: std::ops::Range<u64> = 1..4;
const ROUNDS: usize = 5;
const ROUND: usize = 100;
const REFUNDS: usize = 14;

/// Runs one seed to its end: nothing is under way any more.
fn day(seed: u64, mortal: bool) -> (World, Vec<Part>) {
    let mut world = World::new(seed);
    world.mortal = mortal;
    let rounds: Vec<Vec<Part>> = (0..ROUNDS)
        .map(|_| world.cast(|tenant, random, now| cast::round(tenant, random, ROUND, REFUNDS, now)))
        .collect();
    let parts: Vec<Part> = rounds.concat();
    // One write in twenty loses its answer.
    let refunds: Vec<i64> =
        parts.iter().filter(|part| part.kind == Kind::LargeRefund).map(|part| part.ticket).collect();
    for id in refunds.iter().copied().filter(|_| world.random.u8(..20) == 0).collect::<Vec<_>>() {
        let lost = |question: &crate::desk::Question| question.way.writes();
        let fault = Fault::once(Does::CutAfter, move |question| lost(question) && question.way.ticket() == Some(id));
        world.with(|tenant| tenant.faults.push(fault));
    }
    world.begin();
    world.pass(SignedDuration::from_secs(5));
    for round in &rounds {
        world.cast(|tenant, _, now| round.iter().for_each(|part| cast::happen(tenant, part, now)));
        let pause = SignedDuration::from_secs(world.random.i64(1..600));
        world.pass(pause);
    }
    world.pass(SignedDuration::from_mins(30));
    world.mortal = false;
    world.end();
    world.begin();
    world.pass(SignedDuration::from_hours(2));
    (world, parts)
}

fn hold(world: &World, parts: &[Part]) {
    let wrong = world.with(|tenant| census(tenant, parts, &[]));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let handoffs = world.handoffs();
    let settled = handoffs.iter().filter(|handoff| handoff.state == HandoffState::Settled).count();
    let odd: Vec<_> = handoffs.iter().filter(|handoff| handoff.state != HandoffState::Settled).collect();
    assert_eq!((settled, odd.len()), (ROUNDS * REFUNDS, 0), "{odd:#?}");
    assert!(world.parked().is_empty());
    assert_eq!(world.health()["status"], "ok", "{:#}", world.health());
}

#[test]
fn a_day_without_crashes_costs_one_write_and_few_reads_for_each_handoff() {
    let mut all = Cost::default();
    for seed in SEEDS {
        let (world, parts) = day(seed, false);
        hold(&world, &parts);
        let cost = world.with(|tenant| cost(tenant, &parts, &BTreeSet::new()));
        assert!(cost.too_much().is_empty(), "seed {seed}: {}", cost.too_much().join("\n"));
        all.disturbed += cost.disturbed;
        for (price, times) in cost.spread {
            *all.spread.entry(price).or_default() += times;
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "handoffs by (reads, writes): {:?}, {} whose answer was lost",
        all.spread,
        all.disturbed
    );
    assert!(all.disturbed > 5, "answers are lost");
}

#[test]
fn every_ticket_is_handed_off_once_wherever_the_house_dies() {
    for seed in SEEDS {
        let (world, parts) = day(seed, true);
        let _ = writeln!(
            std::io::stderr(),
            "seed {seed}: {} crashes, {} requests",
            world.crashes,
            world.with(|t| t.journal.requests.len())
        );
        assert!(world.crashes > 3);
        hold(&world, &parts);
    }
}
