//! A person's change between our read and our update. Zammad compares nothing, but its history keeps what each attribute was
//! before: where ours replaced something else than what was read, everything that ours set is put back, unless somebody acted
//! since.

use crate::api::Ask;
use crate::desk::ZammadDesk;
use crate::wire::{Id, Row, SYSTEM, Ticket};
use crate::write::{UPDATE, Wanted, number};
use handoffd_kit::collision::{Collision, PUT_BACK};
use handoffd_kit::desk::Write;
use handoffd_kit::error::DeskError;
use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What an update covered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    /// Everything that it changed, with the number before.
    before: Vec<(&'static str, Id)>,
    /// What of it was somebody else's, and who that was.
    theirs: Vec<(&'static str, Option<Id>)>,
    /// Who acted on one of these since.
    since: Option<Id>,
}

impl Covered {
    /// What our newest rows show; none: they replaced what was read, or there are none. `was`: the ticket as it was read.
    pub(crate) fn find(rows: &[Row], us: Option<Id>, wanted: &[(&'static str, Id)], was: &Ticket) -> Option<Self> {
        let stamp = was.updated_at.get()?.parse::<Timestamp>().ok()?;
        let place = |row: &Row| Some((*row.created_at.get()?, *row.id.get()?));
        let of = |row: &&&Row, attribute: &str| row.attribute.get().is_some_and(|known| known == attribute);
        let mut rows: Vec<&Row> = rows.iter().filter(|row| place(row).is_some()).collect();
        rows.sort_by_key(|row| place(row));
        let (mut before, mut theirs, mut since) = (Vec::new(), Vec::new(), None);
        for (attribute, to) in wanted {
            let ours = rows.iter().rposition(|row| {
                let by_us = us.is_some() && row.created_by_id.get().copied() == us;
                by_us
                    && of(&row, attribute)
                    && row.id_to.get() == Some(to)
                    && place(row).is_some_and(|(at, _)| at >= stamp)
            });
            let Some((at, from)) = ours.and_then(|at| Some((at, *rows[at].id_from.get()?))) else { continue };
            before.push((*attribute, from));
            // What was not read, nobody is accused of having changed.
            if number(was, attribute).is_some_and(|was| was != from) {
                let who = rows[..at].iter().rfind(|row| of(row, attribute));
                theirs.push((*attribute, who.and_then(|row| row.created_by_id.get().copied())));
            }
            let acted = |row: &&&Row| {
                let by = row.created_by_id.get().copied();
                of(row, attribute) && by != us && by != Some(SYSTEM)
            };
            since =
                since.or_else(|| rows[at + 1..].iter().find(acted).and_then(|row| row.created_by_id.get().copied()));
        }
        (!theirs.is_empty()).then_some(Self { before, theirs, since })
    }

    fn what(&self) -> String {
        self.theirs.iter().map(|(attribute, _)| *attribute).collect::<Vec<_>>().join(" and the ")
    }

    fn who(&self) -> String {
        let who = self.theirs.iter().find_map(|(_, who)| *who);
        who.map_or_else(|| "somebody".to_owned(), |id| format!("Zammad user {id}"))
    }

    fn body(&self) -> Value {
        let pairs = self.before.iter().map(|(attribute, id)| (format!("{attribute}_id"), json!(id)));
        Value::Object(pairs.collect::<Map<_, _>>())
    }

    fn is_back(&self, ticket: &Ticket) -> bool {
        self.before.iter().all(|(attribute, id)| number(ticket, attribute) == Some(*id))
    }
}

impl ZammadDesk {
    /// What an update covered; none also where the history cannot be read: the write stands, and the next look decides.
    pub(crate) async fn covered(&self, id: Id, wanted: &Wanted, was: &Ticket, write: &Write) -> Option<Covered> {
        let numbers = wanted.numbers();
        if numbers.is_empty() {
            return None;
        }
        let us = self.people.our_id(&self.api, write.deadline).await.ok()?;
        let rows = self.rows(id, write.deadline).await.ok()??;
        Covered::find(&rows, us, &numbers, was)
    }

    /// Puts back what an update covered, unless anybody acted since; and says what it came to.
    pub(crate) async fn put_back(&self, id: Id, covered: Covered, write: &Write) -> DeskError {
        let what = covered.what();
        let happened = format!("{} changed the {what} in the moment before our update", covered.who());
        let collision = Collision { operation: UPDATE, happened, what, seen_in: "the ticket's history in Zammad" };
        if let Some(acted) = covered.since {
            return collision.acted_since(&format!("Zammad user {acted}"));
        }
        let ask = Ask::write(PUT_BACK, Method::PUT, format!("tickets/{id}"), covered.body()).deadline(write.deadline);
        let sent = self.api.json::<Value>(&ask).await;
        collision.put_back(sent.map(|raw| covered.is_back(&serde_json::from_value(raw).unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const US: Option<Id> = Some(Id(5));

    fn was() -> Ticket {
        let ticket = json!({
            "id": 19, "group_id": 1, "owner_id": 1, "state_id": 2, "updated_at": "2026-05-03T10:00:00.000Z"
        });
        serde_json::from_value(ticket).unwrap()
    }

    fn row(id: i64, attribute: &str, from: i64, to: i64, by: i64) -> Row {
        let row = json!({
            "id": id, "type": "updated", "object": "Ticket", "attribute": attribute, "id_from": from, "id_to": to,
            "created_by_id": by, "created_at": format!("2026-05-03T10:00:{id:02}.000Z"),
        });
        serde_json::from_value(row).unwrap()
    }

    fn found(rows: &[Row], wanted: &[(&'static str, Id)]) -> Option<Covered> {
        Covered::find(rows, US, wanted, &was())
    }

    #[test]
    fn what_replaced_what_was_read_covers_nobody() {
        let wanted = [("group", Id(2)), ("owner", Id(1))];
        assert_eq!(found(&[row(7, "group", 1, 2, 5)], &wanted), None);
        assert_eq!(found(&[], &wanted), None, "the history is empty");
        let older = row(1, "group", 9, 2, 5);
        let older = Row { created_at: crate::wire::Sent::Value("2026-05-02T10:00:00Z".parse().unwrap()), ..older };
        assert_eq!(found(&[older], &wanted), None, "an earlier move of ours proves nothing");
        assert_eq!(found(&[row(7, "group", 4, 2, 6)], &wanted), None, "somebody else's row is not ours");
    }

    #[test]
    fn a_person_who_came_between_is_named_and_all_of_ours_goes_back() {
        let wanted = [("group", Id(2)), ("owner", Id(1))];
        let rows = [row(3, "owner", 1, 44, 44), row(7, "group", 1, 2, 5), row(8, "owner", 44, 1, 5)];
        let covered = found(&rows, &wanted).unwrap();
        assert_eq!(covered.theirs, [("owner", Some(Id(44)))]);
        assert_eq!((covered.body(), covered.since), (json!({ "group_id": 1, "owner_id": 44 }), None));
        let mut later = rows.to_vec();
        later.push(row(9, "group", 2, 3, 1));
        assert_eq!(found(&later, &wanted).unwrap().since, None, "a trigger is nobody");
        later.push(row(10, "group", 3, 4, 46));
        assert_eq!(found(&later, &wanted).unwrap().since, Some(Id(46)));
    }

    #[test]
    fn odd_rows_accuse_nobody() {
        let odd: Vec<Row> = [json!({}), json!({ "id": 1, "attribute": "owner", "id_to": 1, "created_by_id": 5 })]
            .into_iter()
            .map(|row| serde_json::from_value(row).unwrap())
            .collect();
        assert_eq!(found(&odd, &[("owner", Id(1))]), None);
        let unread = Ticket { owner_id: crate::wire::Sent::Missing, ..was() };
        let rows = [row(7, "owner", 44, 1, 5)];
        assert_eq!(Covered::find(&rows, US, &[("owner", Id(1))], &unread), None);
    }
}
