//! Who may own: the members of a queue as they are now, and those who follow a ticket.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::{PersonAct, StaffAct};
use super::Check;
use crate::capability::{Capabilities, Roster};
use crate::desk::{DeskChange, Member, OwnerSpec, QueueSpec, Update};
use crate::fact::Fact;
use crate::model::Role;

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "the members of a queue are listed, each once",
        not_declared: no_roster,
        try_it: |ground| Box::pin(listed(ground)),
    },
    Check {
        promise: "a queue that does not exist has no members and says so",
        not_declared: no_roster,
        try_it: |ground| Box::pin(no_such_queue(ground)),
    },
    Check {
        promise: "who cannot be given tickets any more is not listed as active",
        not_declared: no_roster,
        try_it: |ground| Box::pin(left(ground)),
    },
    Check {
        promise: "what each member has open in a queue is counted",
        not_declared: |capabilities| {
            (capabilities.roster != Roster::WithLoad).then_some("no load of members is declared")
        },
        try_it: |ground| Box::pin(load(ground)),
    },
    Check {
        promise: "a follower is added beside those who follow already",
        not_declared: |capabilities| (!capabilities.followers).then_some("no followers are declared"),
        try_it: |ground| Box::pin(followers(ground)),
    },
];

fn no_roster(capabilities: &Capabilities) -> Option<&'static str> {
    (capabilities.roster == Roster::None).then_some("no members of queues are declared")
}

async fn members(ground: &Ground<'_>, queue: &QueueSpec) -> Tried<Vec<Member>> {
    Ok(ground.drive(ground.desk.members(queue, ground.deadline())).await??)
}

async fn agent(ground: &Ground<'_>, queue: &QueueSpec) -> Tried<Option<Member>> {
    Ok(members(ground, queue).await?.into_iter().find(|member| member.person.id == ground.names.agent))
}

async fn listed(ground: &mut Ground<'_>) -> Tried {
    let me = ground.drive(ground.desk.me()).await??;
    for queue in [ground.names.home.clone(), ground.names.away.clone()] {
        let members = members(ground, &queue).await?;
        let mut ids: Vec<&str> = members.iter().map(|member| member.person.id.as_str()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        ensure(ids.len() == all, || format!("{}: somebody is listed twice: {members:?}", queue.shown()))?;
        let agent = members.iter().find(|member| member.person.id == ground.names.agent);
        let agent = agent.ok_or_else(|| Stop::Failed(format!("{} lacks its agent: {members:?}", queue.shown())))?;
        ensure(agent.active, || "an agent who works there is not active".into())?;
        ensure(agent.person.role == Role::Agent, || format!("the agent is listed as {:?}", agent.person.role))?;
        let email = ground.names.agent_email.as_ref();
        ensure(email.is_none() || agent.person.email.as_ref() == email, || "the agent's address is missing".into())?;
        let ours = members.iter().find(|member| member.person.id == me.id);
        ensure(ours.is_none_or(|us| us.person.role == Role::Us), || "our own account is listed as an agent".into())?;
    }
    Ok(())
}

async fn no_such_queue(ground: &mut Ground<'_>) -> Tried {
    for queue in [QueueSpec::Name("no such queue".into()), QueueSpec::Id("99999999".into())] {
        let answer = ground.drive(ground.desk.members(&queue, ground.deadline())).await?;
        ensure(answer.is_err(), || format!("{} has these members: {answer:?}", queue.shown()))?;
    }
    Ok(())
}

async fn left(ground: &mut Ground<'_>) -> Tried {
    let home = ground.names.home.clone();
    for act in [StaffAct::Leaves, StaffAct::IsDisabled] {
        ground.stage.staff(&home, act).await?;
        let member = agent(ground, &home).await?;
        ensure(member.is_none_or(|member| !member.active), || format!("after {act:?} the agent is still active"))?;
        ground.stage.staff(&home, StaffAct::ComesBack).await?;
        let member = agent(ground, &home).await?;
        ensure(member.is_some_and(|member| member.active), || format!("after {act:?} the agent does not come back"))?;
    }
    Ok(())
}

async fn load(ground: &mut Ground<'_>) -> Tried {
    let home = ground.names.home.clone();
    let open = |member: Option<Member>| member.and_then(|member| member.open);
    let before = open(agent(ground, &home).await?);
    let ticket = ground.ticket().await?;
    ground.act(&ticket, PersonAct::Take).await?;
    let after = open(agent(ground, &home).await?);
    ensure(after == before.map(|count| count + 1), || format!("one more is open: {before:?}, then {after:?}"))?;
    ground.act(&ticket, PersonAct::Move(ground.names.away.clone())).await?;
    let moved = open(agent(ground, &home).await?);
    ensure(moved == before, || format!("moved away, it still counts: {before:?}, then {moved:?}"))
}

async fn followers(ground: &mut Ground<'_>) -> Tried {
    let home = ground.names.home.clone();
    let other = members(ground, &home)
        .await?
        .into_iter()
        .find(|member| member.active && member.person.role == Role::Agent && member.person.id != ground.names.agent);
    let other = other.ok_or_else(|| Stop::Skipped("the queue has only one agent".into()))?.person.id;
    let ticket = ground.ticket().await?;
    let owner = Some(OwnerSpec::Nobody);
    for who in [other.clone(), ground.names.agent.clone()] {
        let followers = vec![who];
        let change = DeskChange::Update(Update { owner: owner.clone(), followers, ..Update::default() });
        let write = ground.write(&ticket, change).await?;
        ground.apply(&write).await?;
        ground.pass_grain().await?;
    }
    let Fact::Known(mut seen) = ground.look(&ticket).await?.followers else {
        return Err(Stop::Skipped("the stage does not show followers".into()));
    };
    seen.sort();
    let mut wanted = vec![other, ground.names.agent.clone()];
    wanted.sort();
    ensure(seen == wanted, || format!("{seen:?} follow instead of {wanted:?}"))
}
