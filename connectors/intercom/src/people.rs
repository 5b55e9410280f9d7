//! Who and what the desk's ids mean: our own account, teams, admins, labels, customers, companies. They barely change, so they
//! are remembered for a while; in a steady state a handoff reads none of them.

use crate::api::{Api, Ask};
use crate::config::REGIONS;
use crate::wire::{Admin, AdminList, App, Company, Contact, Id, Key, Sent, TagList, Team, TeamList};
use futures::lock::Mutex;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::memory::{Memory, Whole};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A teammate's name may be this old; that they are one at all, each part says itself.
const ADMINS_AGE: SignedDuration = SignedDuration::from_mins(60);
/// What is told about a customer may be this old.
const CUSTOMER_AGE: SignedDuration = SignedDuration::from_mins(10);
/// A team's name and members may be this old.
const TEAMS_AGE: SignedDuration = SignedDuration::from_mins(10);
/// The workspace's labels may be this old.
const LABELS_AGE: SignedDuration = SignedDuration::from_mins(60);

/// Teams by id; none: our app may not list them.
pub(crate) type Teams = Option<Arc<BTreeMap<Id, Team>>>;
/// Admins by id; none: our app may not list them.
pub(crate) type Admins = Option<Arc<BTreeMap<Id, Admin>>>;

/// Our own account and its workspace.
#[derive(Clone, Debug)]
pub(crate) struct Me {
    pub(crate) id: Id,
    pub(crate) admin: Admin,
    /// The host that people open; none: of no region that is known.
    site: Option<&'static str>,
}

impl Me {
    /// Who we are, at the API of this host; none: the answer does not say.
    pub(crate) fn read(admin: Admin, host: &str) -> Option<Self> {
        let id = admin.id.get().copied().filter(|id| id.is_record())?;
        let site = REGIONS.iter().find(|(_, api, _)| *api == host).map(|(site, _, _)| *site);
        Some(Self { id, admin, site })
    }

    /// Where a colleague opens a conversation (the address is from memory and not verified).
    pub(crate) fn link(&self, conversation: Id) -> Option<String> {
        let app = self.app()?.id_code.get().filter(|code| code.is_plain())?;
        Some(format!("https://{}/a/inbox/{}/inbox/conversation/{conversation}", self.site?, app.0))
    }

    /// The workspace.
    pub(crate) fn app(&self) -> Option<&App> {
        self.admin.app.get()
    }
}

/// What is remembered of one desk.
#[derive(Default)]
pub(crate) struct People {
    me: Mutex<Option<Me>>,
    teams: Mutex<Whole<Teams>>,
    admins: Mutex<Whole<Admins>>,
    labels: Mutex<Whole<BTreeMap<String, Key>>>,
    contacts: Mutex<Memory<Key, Contact>>,
    companies: Mutex<Memory<Key, Company>>,
}

impl People {
    /// Our own account.
    pub(crate) async fn me(&self, api: &Api, deadline: Timestamp) -> Result<Me> {
        const OPERATION: &str = "read own account";
        let mut me = self.me.lock().await;
        if let Some(me) = &*me {
            return Ok(me.clone());
        }
        let admin: Admin = api.json(&Ask::get(OPERATION, "me", deadline)).await?;
        let host = api.base().host_str().unwrap_or_default();
        let read = Me::read(admin, host).ok_or_else(|| {
            DeskError::new(DeskErrorKind::Protocol, Retry::After(None), OPERATION)
                .words("the answer does not say who we are")
                .next_step("Check the desk's url and its access token")
        })?;
        Ok(me.insert(read).clone())
    }

    /// The teams, read again when they grow old or one of these is not among them.
    pub(crate) async fn teams(&self, api: &Api, needed: &[Id], deadline: Timestamp) -> Result<Teams> {
        self.teams_unless(api, deadline, |teams| needed.iter().any(|id| !teams.contains_key(id))).await
    }

    /// The team of this name, exactly as people see it; none: there is none.
    pub(crate) async fn team_named(&self, api: &Api, name: &str, deadline: Timestamp) -> Result<Option<Id>> {
        let of_name = |teams: &BTreeMap<Id, Team>| {
            teams.iter().find(|(_, team)| team.name.get().is_some_and(|known| known == name)).map(|(id, _)| *id)
        };
        let teams = self.teams_unless(api, deadline, |teams| of_name(teams).is_none()).await?;
        teams.as_deref().map(of_name).ok_or_else(|| unlisted("find team"))
    }

    /// The teams as they are now: whoever asks wants to know who works there now.
    pub(crate) async fn teams_now(&self, api: &Api, deadline: Timestamp) -> Result<Teams> {
        self.teams.lock().await.forget();
        self.teams(api, &[], deadline).await
    }

    async fn teams_unless(
        &self,
        api: &Api,
        deadline: Timestamp,
        lacks: impl Fn(&BTreeMap<Id, Team>) -> bool,
    ) -> Result<Teams> {
        let mut teams = self.teams.lock().await;
        // What we may not list is asked for again as rarely as anything that grows old.
        let lacking = teams.value.as_deref().is_some_and(lacks);
        if teams.is_fresh(TEAMS_AGE, lacking, api.gate().now()) {
            return Ok(teams.value.clone());
        }
        let ask = Ask::get("read teams", "teams", deadline);
        let read = listed(api, &ask, |list: TeamList| list.teams).await?;
        *teams = Whole::read(read.map(|list| by_id(list, |team| &team.id)), api.gate().now());
        Ok(teams.value.clone())
    }

    /// The admins, read again when they grow old or one of these is not among them.
    pub(crate) async fn admins(&self, api: &Api, needed: &[Id], deadline: Timestamp) -> Result<Admins> {
        let mut admins = self.admins.lock().await;
        let lacking = admins.value.as_deref().is_some_and(|known| needed.iter().any(|id| !known.contains_key(id)));
        if admins.is_fresh(ADMINS_AGE, lacking, api.gate().now()) {
            return Ok(admins.value.clone());
        }
        let ask = Ask::get("read admins", "admins", deadline);
        let read = listed(api, &ask, |list: AdminList| list.admins).await?;
        *admins = Whole::read(read.map(|list| by_id(list, |admin| &admin.id)), api.gate().now());
        Ok(admins.value.clone())
    }

    /// The admins as they are now.
    pub(crate) async fn admins_now(&self, api: &Api, deadline: Timestamp) -> Result<Admins> {
        self.admins.lock().await.forget();
        self.admins(api, &[], deadline).await
    }

    /// The id of the workspace's label of this name; none: it has none. Intercom takes two names for one that differ in case
    /// alone (from memory, not verified): the exact one goes first.
    pub(crate) async fn label(&self, api: &Api, name: &str, deadline: Timestamp) -> Result<Option<Key>> {
        let mut labels = self.labels.lock().await;
        let lacking = find_label(&labels.value, name).is_none();
        if !labels.is_fresh(LABELS_AGE, lacking, api.gate().now()) {
            let ask = Ask::get("read tags", "tags", deadline);
            let list: TagList = api.json(&ask).await?;
            let list = list.data.some().ok_or_else(|| ask.malformed("the answer is no list of tags"))?;
            let named = list.into_iter().filter_map(|tag| Some((tag.name.some()?, tag.id.some()?))).collect();
            *labels = Whole::read(named, api.gate().now());
        }
        Ok(find_label(&labels.value, name))
    }

    /// Remembers a label that was just made.
    pub(crate) async fn remember_label(&self, name: &str, key: Key) {
        self.labels.lock().await.value.insert(name.to_owned(), key);
    }

    /// Forgets the labels: one of them is not there any more.
    pub(crate) async fn forget_labels(&self) {
        self.labels.lock().await.forget();
    }

    /// What the desk tells about a customer now, or ten minutes ago. None: nothing that we may see.
    pub(crate) async fn contact(&self, api: &Api, key: &Key, deadline: Timestamp) -> Result<Option<Contact>> {
        let ask = || Ask::get("read contact", format!("contacts/{}", key.0), deadline);
        one(&self.contacts, api, key, ask, |contact: &Contact| contact.id.get()).await
    }

    /// What the desk tells about a company now, or ten minutes ago.
    pub(crate) async fn company(&self, api: &Api, key: &Key, deadline: Timestamp) -> Result<Option<Company>> {
        let ask = || Ask::get("read company", format!("companies/{}", key.0), deadline);
        one(&self.companies, api, key, ask, |company: &Company| company.id.get()).await
    }
}

fn find_label(labels: &BTreeMap<String, Key>, name: &str) -> Option<Key> {
    let alike = || labels.iter().find(|(known, _)| known.to_lowercase() == name.to_lowercase()).map(|(_, key)| key);
    labels.get(name).or_else(alike).cloned()
}

/// A list that our app may not be allowed to read: none then.
async fn listed<L: DeserializeOwned, T>(api: &Api, ask: &Ask, pick: fn(L) -> Sent<Vec<T>>) -> Result<Option<Vec<T>>> {
    match api.json::<L>(ask).await {
        Ok(list) => pick(list).some().map(Some).ok_or_else(|| ask.malformed("the answer is not the list asked for")),
        Err(error) if error.kind == DeskErrorKind::Forbidden => Ok(None),
        Err(error) => Err(error),
    }
}

fn by_id<T>(list: Vec<T>, id: fn(&T) -> &Sent<Id>) -> Arc<BTreeMap<Id, T>> {
    let record = |one: T| id(&one).get().copied().filter(|id| id.is_record()).map(|id| (id, one));
    Arc::new(list.into_iter().filter_map(record).collect())
}

/// One record by its key, remembered; none: it is not there for us.
async fn one<T: Clone + DeserializeOwned>(
    memory: &Mutex<Memory<Key, T>>,
    api: &Api,
    key: &Key,
    ask: impl Fn() -> Ask,
    id: fn(&T) -> Option<&Key>,
) -> Result<Option<T>> {
    if !key.is_plain() {
        return Ok(None);
    }
    let wanted = BTreeSet::from([key.clone()]);
    let mut memory = memory.lock().await;
    if !memory.lacking(&wanted, CUSTOMER_AGE, api.gate().now()).is_empty() {
        let ask = ask();
        let found = match api.json::<Value>(&ask).await {
            Ok(raw) => {
                let read: Option<T> = serde_json::from_value(raw).ok();
                // An answer that is somebody else's, or nobody's, must not be remembered as this one's.
                let read = read.filter(|one| id(one) == Some(key));
                Some(read.ok_or_else(|| ask.malformed("the answer is not what was asked for"))?)
            }
            // A contact that was merged into another is gone under its old id.
            Err(error) if GONE.contains(&error.kind) => None,
            Err(error) => return Err(error),
        };
        memory.store(
            std::slice::from_ref(key),
            found.map(|one| (key.clone(), one)).into_iter().collect(),
            api.gate().now(),
        );
    }
    Ok(memory.known(&wanted).remove(key))
}

const GONE: [DeskErrorKind; 3] = [DeskErrorKind::NotFound, DeskErrorKind::Gone, DeskErrorKind::Forbidden];

/// The teams are needed and our app may not list them.
pub(crate) fn unlisted(operation: &'static str) -> DeskError {
    DeskError::new(DeskErrorKind::Forbidden, Retry::Never, operation)
        .words("our app may not list teams")
        .next_step("Give the app the permission to read admins, or write the team's id as the team's `queue`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn me(region: &str) -> Option<Me> {
        let admin = json!({ "id": "7", "app": { "id_code": "abc123", "region": "EU" } });
        Me::read(serde_json::from_value(admin).unwrap(), region)
    }

    #[test]
    fn a_conversations_address_is_of_the_regions_own_site() {
        let link = |host: &str| me(host).unwrap().link(Id(147));
        let eu = "https://app.eu.intercom.com/a/inbox/abc123/inbox/conversation/147";
        assert_eq!(link("api.eu.intercom.io").as_deref(), Some(eu));
        assert_eq!(link("127.0.0.1"), None);
        let nobody: Admin = serde_json::from_value(json!({ "id": 0 })).unwrap();
        assert!(Me::read(nobody, "api.intercom.io").is_none());
    }

    #[test]
    fn the_workspaces_lists_read_as_documented() {
        let me = serde_json::from_str(include_str!("../fixtures/me.json")).unwrap();
        let me = Me::read(me, "api.intercom.io").unwrap();
        assert_eq!((me.id, &me.admin.has_inbox_seat), (Id(991_267), &Sent::Value(true)));
        let tags: TagList = serde_json::from_str(include_str!("../fixtures/tags.json")).unwrap();
        let named = tags.data.some().unwrap().into_iter().map(|tag| (tag.name.some().unwrap(), tag.id.some().unwrap()));
        let labels: BTreeMap<String, Key> = named.collect();
        assert_eq!(
            (find_label(&labels, "vip"), find_label(&labels, "Refund")),
            (Some(Key("99".into())), Some(Key("101".into())))
        );
        let admins: AdminList = serde_json::from_str(include_str!("../fixtures/admins.json")).unwrap();
        let admins = by_id(admins.admins.some().unwrap(), |admin| &admin.id);
        assert_eq!(admins[&Id(991_268)].email, Sent::Value("ann@acme.example".into()));
        let teams: TeamList = serde_json::from_str(include_str!("../fixtures/teams.json")).unwrap();
        let teams = by_id(teams.teams.some().unwrap(), |team| &team.id);
        assert_eq!(teams[&Id(5_017_691)].admin_ids, Sent::Value(vec![Id(991_268)]));
    }

    #[test]
    fn a_label_is_found_by_its_exact_name_first() {
        let labels = BTreeMap::from([("VIP".to_owned(), Key("1".into())), ("vip".to_owned(), Key("2".into()))]);
        assert_eq!(find_label(&labels, "vip"), Some(Key("2".into())));
        assert_eq!(find_label(&labels, "Vip"), Some(Key("1".into())));
        assert_eq!(find_label(&labels, "v"), None);
    }
}
