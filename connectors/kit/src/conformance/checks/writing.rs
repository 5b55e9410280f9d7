//! Writing: what was asked for is on the desk afterwards, internal stays internal, and nothing else was touched.

use super::super::ground::{Ground, Stop, Tried, ensure, marked};
use super::super::stage::{NewTicket, NoteOnDesk, OnDesk, PersonAct};
use super::super::wire::Fault;
use super::reading::{changes, no_history};
use super::{Check, always};
use crate::capability::{Aspect, Pausing};
use crate::desk::{DeskChange, OwnerSpec, PublicReply, Update, WordingSignature, Write};
use crate::fact::Fact;
use crate::id::TicketId;
use crate::mark::Mark;
use crate::model::{Actor, Priority, PublicText, Visibility};
use crate::text::CUT;

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "one call sets all that is declared to be set together",
        not_declared: |capabilities| (capabilities.together.len() < 2).then_some("nothing is set together"),
        try_it: |ground| Box::pin(together(ground)),
    },
    always("each thing can be set alone and touches nothing else", |ground| Box::pin(each_alone(ground))),
    always("an owner is set by id or address, and taken away", |ground| Box::pin(owners(ground))),
    always("a note is internal and reads as it was written", |ground| Box::pin(note_as_written(ground))),
    always("a note that is too long is cut visibly and keeps its mark", |ground| Box::pin(long_note(ground))),
    always("a public reply is public, and nothing else is", |ground| Box::pin(reply(ground))),
    Check {
        promise: "a status stops the customer's clock and another lets it run again, each touching nothing else",
        not_declared: |capabilities| capabilities.pausing.is_empty().then_some("no status stops the customer's clock"),
        try_it: |ground| Box::pin(pausing(ground)),
    },
    Check {
        promise: "tags are added and removed while somebody else adds one",
        not_declared: |capabilities| (!capabilities.race_free_tags).then_some("tags are not declared to be race-free"),
        try_it: |ground| Box::pin(tags(ground)),
    },
    always("a receipt carries what the next write expects", |ground| Box::pin(chained(ground))),
    Check {
        promise: "our own write stands in the history as ours, with its mark",
        not_declared: no_history,
        try_it: |ground| Box::pin(ours_in_history(ground)),
    },
];

const ASPECTS: [Aspect; 5] = [Aspect::Note, Aspect::Queue, Aspect::Owner, Aspect::Priority, Aspect::Fields];

/// An update that sets these aspects, its mark in the note.
fn update(ground: &Ground<'_>, aspects: &[Aspect], mark: &Mark) -> Update {
    let has = |aspect| aspects.contains(&aspect);
    let field = ground.names.field.clone().filter(|_| has(Aspect::Fields));
    Update {
        note: has(Aspect::Note).then(|| marked("Set together", mark)),
        queue: has(Aspect::Queue).then(|| ground.names.away.clone()),
        owner: has(Aspect::Owner).then(|| OwnerSpec::User(ground.names.agent.clone())),
        priority: has(Aspect::Priority).then_some(Priority::Urgent),
        status: ground.capabilities().pausing.first().filter(|_| has(Aspect::Status)).map(Pausing::stops),
        fields: field.into_iter().map(|(id, _, other)| (id, other)).collect(),
        followers: Vec::new(),
    }
}

/// What the desk should show once these aspects of `before` were set.
fn with(ground: &Ground<'_>, aspects: &[Aspect], before: OnDesk) -> OnDesk {
    let names = &ground.names;
    let mut desk = before;
    for aspect in aspects {
        match aspect {
            // What is seen of a status, its own check asks for.
            Aspect::Note | Aspect::Status => {}
            Aspect::Queue => desk.queue = Fact::Known(Some(names.away_shown.clone())),
            Aspect::Owner => desk.owner = Fact::Known(Some(names.agent.clone())),
            Aspect::Priority => desk.priority = Fact::Known(Some(Priority::Urgent)),
            Aspect::Fields => {
                if let Some((_, _, other)) = &names.field {
                    desk.field = Fact::Known(Some(other.clone()));
                }
            }
        }
    }
    desk
}

/// Writes these aspects and compares the desk with what it should show.
async fn set(ground: &mut Ground<'_>, aspects: &[Aspect]) -> Tried<usize> {
    let id = ground.ticket().await?;
    let before = ground.look(&id).await?;
    let mark = ground.mark(&id);
    let version = ground.head(&id).await?.version;
    let change = DeskChange::Update(update(ground, aspects, &mark));
    let write = ground.write_as(&id, change, mark.clone(), Some(version));
    ground.wire.take_traffic();
    let receipt = ground.apply(&write).await?;
    let writes = ground.wire.take_traffic().writes;
    ensure(!receipt.id.is_empty(), || format!("{aspects:?}: an empty receipt"))?;
    let after = ground.look(&id).await?;
    let ours: Vec<&NoteOnDesk> = after.notes.iter().filter(|note| note.by_us).collect();
    let marked =
        |note: &&NoteOnDesk| note.visibility == Visibility::Internal && Mark::in_text(&note.text) == Some(mark.clone());
    let notes_fit = match aspects.contains(&Aspect::Note) {
        true => ours.len() == 1 && ours.iter().all(marked),
        false => ours.is_empty(),
    };
    ensure(notes_fit, || format!("{aspects:?}: our notes are {ours:?}"))?;
    let expected = OnDesk { notes: after.notes.clone(), ..with(ground, aspects, before) };
    ensure(after == expected, || format!("{aspects:?}: the desk shows {after:?} instead of {expected:?}"))?;
    Ok(writes)
}

async fn together(ground: &mut Ground<'_>) -> Tried {
    let writes = set(ground, ground.capabilities().together).await?;
    ensure(writes == 1, || format!("it took {writes} writing requests"))
}

async fn each_alone(ground: &mut Ground<'_>) -> Tried {
    for aspect in ASPECTS {
        let fixed = ground.capabilities().fixed.contains(&aspect);
        if fixed || aspect == Aspect::Fields && ground.names.field.is_none() {
            continue;
        }
        // A desk may tie an owner to a queue; an agent of both is asked for, so each stands alone.
        set(ground, &[aspect]).await?;
    }
    Ok(())
}

async fn pausing(ground: &mut Ground<'_>) -> Tried {
    for pausing in ground.capabilities().pausing {
        let id = ground.ticket().await?;
        let before = ground.look(&id).await?;
        let again = pausing.back.iter().map(|(status, _)| *status);
        let ends =
            std::iter::once(None).chain(again.map(Some)).flat_map(|status| [pausing.stops(), pausing.ends(status)]);
        for status in ends {
            ground.pass_grain().await?;
            let change = Update { status: Some(status.clone()), ..Update::default() };
            let write = ground.write(&id, DeskChange::Update(change)).await?;
            ground.apply(&write).await?;
            let seen = ground.stage.status(&id).await?;
            ensure(seen == status.means, || format!("after {:?} the status is {seen:?}", status.word))?;
            let head = ground.head(&id).await?.status;
            ensure(head == Fact::Known(status.means), || format!("after {:?} the head shows {head:?}", status.word))?;
            let after = ground.look(&id).await?;
            ensure(after == before, || format!("{:?} changed the ticket: {after:?}", status.word))?;
        }
    }
    Ok(())
}

async fn owners(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let agent = ground.names.agent.clone();
    let by_address = ground.names.agent_email.clone().map(OwnerSpec::Email);
    for owner in [Some(OwnerSpec::User(agent.clone())), by_address].into_iter().flatten() {
        for (spec, shown) in [(owner, Some(agent.clone())), (OwnerSpec::Nobody, None)] {
            let change = Update { owner: Some(spec.clone()), ..Update::default() };
            let write = ground.write(&id, DeskChange::Update(change)).await?;
            ground.apply(&write).await?;
            let seen = ground.look(&id).await?.owner;
            ensure(seen == Fact::Known(shown), || format!("after {spec:?}, the owner is {seen:?}"))?;
        }
    }
    Ok(())
}

async fn note_as_written(ground: &mut Ground<'_>) -> Tried {
    let words = "Steps tried:\n- restart & <b>wait</b>\n- \"{{ticket.id}}\" and {% if x %} stay as they are\n\nGrüße";
    let id = ground.ticket().await?;
    let write = ground.note(&id, words).await?;
    ground.apply(&write).await?;
    let notes = ground.our_notes(&id).await?;
    let [note] = &notes[..] else { return Err(Stop::Failed(format!("{} notes", notes.len()))) };
    ensure(note.visibility == Visibility::Internal, || "it is public".into())?;
    ensure(Mark::in_text(&note.text).as_ref() == Some(&write.mark), || {
        format!("no mark at the end of {:?}", note.text)
    })?;
    // Signs may be parted by spaces so that the vendor does not expand them; words and lines stay.
    let plain = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.chars().filter(|c| !c.is_whitespace()).collect::<String>());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let written = format!("{words}\n{}", write.mark);
    ensure(plain(&note.text) == plain(&written), || format!("it reads {:?}", note.text))
}

async fn long_note(ground: &mut Ground<'_>) -> Tried {
    const LARGEST_TRIED: usize = 1 << 20;
    let most = ground.capabilities().note_max_bytes;
    if most > LARGEST_TRIED {
        return Err(Stop::Skipped(format!("notes of {most} bytes are not tried")));
    }
    let id = ground.ticket().await?;
    let write = ground.note(&id, &"A long story & <more>. ".repeat(most / 10)).await?;
    ground.apply(&write).await?;
    let notes = ground.our_notes(&id).await?;
    let [note] = &notes[..] else { return Err(Stop::Failed(format!("{} notes", notes.len()))) };
    ensure(Mark::in_text(&note.text) == Some(write.mark), || "its mark was cut off".into())?;
    ensure(note.text.contains(CUT.trim()), || "the cut cannot be seen".into())
}

/// A public reply with these words.
pub(super) fn public(words: &str) -> DeskChange {
    let signature =
        WordingSignature { message: "trial".into(), wording: "w1".into(), signer: "second reviewer".into() };
    DeskChange::Reply(PublicReply { text: PublicText(words.into()), signature })
}

async fn reply(ground: &mut Ground<'_>) -> Tried {
    let words = "A colleague takes over & answers by <4 pm>.";
    let id = ground.ticket().await?;
    let before = ground.look(&id).await?;
    let write = ground.write(&id, public(words)).await?;
    ground.apply(&write).await?;
    let after = ground.look(&id).await?;
    let ours: Vec<&NoteOnDesk> = after.notes.iter().filter(|note| note.by_us).collect();
    let sent = |note: &&NoteOnDesk| note.visibility == Visibility::Public && note.text.contains(words);
    ensure(ours.iter().filter(|note| sent(note)).count() == 1, || format!("our messages are {ours:?}"))?;
    let others_public = ours.iter().any(|note| !sent(note) && note.visibility == Visibility::Public);
    ensure(!others_public, || "something else of ours is public".into())?;
    let untouched = OnDesk { notes: after.notes.clone(), ..before };
    ensure(after == untouched, || format!("the reply changed the ticket: {after:?}"))
}

async fn tags(ground: &mut Ground<'_>) -> Tried {
    if !ground.names.tags {
        return Err(Stop::Skipped("the stage has no tags".into()));
    }
    let ticket = NewTicket {
        subject: "Tagged".into(),
        text: "Words".into(),
        queue: Some(ground.names.home.clone()),
        tags: vec!["kept".into(), "gone".into()],
        ..NewTicket::default()
    };
    let id = ground.stage.make(ticket).await?;
    let mark = ground.mark(&id);
    let change = DeskChange::Tags { add: vec!["ours".into()], remove: vec!["gone".into()] };
    let write = ground.write_as(&id, change, mark, None);
    while_held(ground, &write, &id, PersonAct::Tag("persons".into())).await?;
    let Fact::Known(mut tags) = ground.look(&id).await?.tags else {
        return Err(Stop::Failed("the desk shows no tags".into()));
    };
    tags.sort();
    ensure(tags == ["kept", "ours", "persons"], || format!("the tags are {tags:?}"))
}

/// Applies a write whose last step is held back until a person has acted.
async fn while_held(ground: &mut Ground<'_>, write: &Write, id: &TicketId, act: PersonAct) -> Tried {
    ground.wire.fault_next_write(Fault::Hold);
    let mut applying = ground.desk.apply(write);
    ground.until_held(&mut applying).await?;
    ground.stage.act(id, act).await?;
    ground.wire.release();
    ground.drive(applying).await??;
    Ok(())
}

async fn chained(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    ground.pass_grain().await?;
    let first = ground.note(&id, "first").await?;
    let receipt = ground.apply(&first).await?;
    let Some(version) = receipt.version else {
        return Err(Stop::Skipped("the desk's answer tells no version".into()));
    };
    ground.pass_grain().await?;
    let mark = ground.mark(&id);
    let note = Update { note: Some(marked("second", &mark)), ..Update::default() };
    let second = ground.write_as(&id, DeskChange::Update(note), mark, Some(version));
    ground.apply(&second).await?;
    ensure(ground.our_notes(&id).await?.len() == 2, || "the second note is missing".into())
}

async fn ours_in_history(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "ours").await?;
    ground.apply(&write).await?;
    let mark = write.mark.clone();
    ground.act(&id, PersonAct::Note(format!("quoted by a person\n\n{mark}"))).await?;
    let changes = changes(ground, &id).await?;
    let marked: Vec<_> = changes.iter().filter(|change| change.mark.as_ref() == Some(&mark)).collect();
    ensure(!marked.is_empty(), || "no change carries the mark".into())?;
    let strange = marked.iter().find(|change| change.actor != Actor::Us);
    ensure(strange.is_none(), || format!("the mark counts in a change by {strange:?}"))
}
