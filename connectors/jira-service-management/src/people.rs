//! Our own account, and what the site's fields and statuses mean: remembered for a while. People themselves come along with
//! whatever they wrote or changed; only a customer is asked for.

use crate::api::{Api, Ask, is_absent, platform};
use crate::setup::{self, Setup};
use crate::wire::{self, Field, User};
use futures::lock::Mutex;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::memory::Whole;
use handoffd_kit::model::{Person, Role, Status};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The time zone of our own account is believed this long: queries are read in it.
const ME_AGE: SignedDuration = SignedDuration::from_mins(10);
/// That we are logged in is believed this long where an issue is said not to be there.
const LOGIN_AGE: SignedDuration = SignedDuration::from_mins(1);
/// What fields and statuses mean may be this old.
const SETUP_AGE: SignedDuration = SignedDuration::from_mins(60);

/// Statuses by id; none: nobody knows where one stands.
pub(crate) type Statuses = Arc<BTreeMap<String, Status>>;

/// What is remembered of one site.
pub(crate) struct People {
    /// The name or id of the team's field.
    team_field: String,
    me: Mutex<Whole<Option<Arc<User>>>>,
    setup: Mutex<Whole<Arc<Setup>>>,
    statuses: Mutex<Whole<Statuses>>,
}

impl People {
    pub(crate) fn new(team_field: String) -> Self {
        Self { team_field, me: Mutex::default(), setup: Mutex::default(), statuses: Mutex::default() }
    }

    /// Our own account. A read that anybody may make says nothing about a login (sheet, *Base URL and auth*): this one does.
    pub(crate) async fn me(&self, api: &Api, deadline: Timestamp) -> Result<Arc<User>> {
        self.me_within(ME_AGE, api, deadline).await
    }

    /// What an answer of "no such thing" means: that, or that our login has ended. To whom is not logged in, Jira shows a site
    /// without issues (sheet, *Base URL and auth*), and a review would be withdrawn for it. Asked for once a minute at most.
    pub(crate) async fn told_by_whom_we_are<T>(&self, read: Result<T>, api: &Api, deadline: Timestamp) -> Result<T> {
        if read.as_ref().is_err_and(|error| error.kind == DeskErrorKind::NotFound) {
            self.me_within(LOGIN_AGE, api, deadline).await?;
        }
        read
    }

    async fn me_within(&self, age: SignedDuration, api: &Api, deadline: Timestamp) -> Result<Arc<User>> {
        const OPERATION: &str = "read own account";
        let mut me = self.me.lock().await;
        if let Some(known) = me.value.as_ref().filter(|_| me.is_fresh(age, false, api.gate().now())) {
            return Ok(known.clone());
        }
        let user: User = api.json(&Ask::get(OPERATION, platform("myself"), deadline)).await?;
        if user.account_id.get().is_none_or(|id| id.is_empty()) {
            return Err(DeskError::new(DeskErrorKind::Protocol, Retry::After(None), OPERATION)
                .words("the answer does not say who we are")
                .next_step("Check the desk's url, mail address and API token"));
        }
        let user = Arc::new(user);
        *me = Whole::read(Some(user.clone()), api.gate().now());
        Ok(user)
    }

    /// The id of our own account.
    pub(crate) async fn our_id(&self, api: &Api, deadline: Timestamp) -> Result<Option<String>> {
        Ok(self.me(api, deadline).await?.account_id.get().cloned())
    }

    /// What the site's fields mean.
    pub(crate) async fn setup(&self, api: &Api, deadline: Timestamp) -> Result<Arc<Setup>> {
        let mut setup = self.setup.lock().await;
        let lacks = setup.value.team.is_none();
        if setup.is_fresh(SETUP_AGE, lacks, api.gate().now()) {
            return Ok(setup.value.clone());
        }
        let fields: Vec<Field> = api.json(&Ask::get("read fields", platform("field"), deadline)).await?;
        *setup = Whole::read(Arc::new(Setup::read(&fields, &self.team_field)), api.gate().now());
        Ok(setup.value.clone())
    }

    /// Where the site's statuses stand.
    pub(crate) async fn statuses(&self, api: &Api, deadline: Timestamp) -> Result<Statuses> {
        let mut statuses = self.statuses.lock().await;
        if statuses.is_fresh(SETUP_AGE, false, api.gate().now()) {
            return Ok(statuses.value.clone());
        }
        let all: Vec<wire::Status> = api.json(&Ask::get("read statuses", platform("status"), deadline)).await?;
        let known = all.iter().filter_map(|status| Some((status.id.get()?.clone(), setup::status(status)?)));
        *statuses = Whole::read(Arc::new(known.collect()), api.gate().now());
        Ok(statuses.value.clone())
    }

    /// What Jira tells about somebody now; none: we may not see them.
    pub(crate) async fn user(&self, api: &Api, id: &str, deadline: Timestamp) -> Result<Option<User>> {
        let ask = Ask::get("read customer", platform("user"), deadline).query("accountId", id);
        match api.json::<User>(&ask).await {
            Ok(user) if user.account_id.get().is_some_and(|sent| sent == id) => Ok(Some(user)),
            Ok(_) => Err(ask.malformed("the answer is not whom it was asked for")),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What somebody is, as far as their account tells. A licensed user may ask for help, too: who asks on one ticket, the ticket
/// says.
pub(crate) fn role_of(user: &User, us: Option<&str>) -> Role {
    let id = user.account_id.get().map(String::as_str);
    match user.account_type.get().map(String::as_str) {
        _ if us.is_some() && id == us => Role::Us,
        Some("atlassian") => Role::Agent,
        Some("customer") => Role::Customer,
        // Automation rules act as an app.
        Some("app") => Role::Automation,
        _ => Role::Unknown,
    }
}

/// A person in the kit's words; none: the answer has no id.
pub(crate) fn person(user: &User, role: Role) -> Option<Person> {
    let told = |sent: &wire::Sent<String>| sent.get().filter(|text| !text.is_empty()).cloned();
    let id = told(&user.account_id)?;
    Some(Person { id: id.into(), name: told(&user.display_name), email: told(&user.email_address), role })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_role_is_what_the_account_is_and_ours_is_ours() {
        let role = |kind: &str, us: Option<&str>| {
            role_of(&serde_json::from_value(json!({ "accountId": "1", "accountType": kind })).unwrap(), us)
        };
        assert_eq!((role("atlassian", Some("1")), role("atlassian", Some("2"))), (Role::Us, Role::Agent));
        assert_eq!(
            (role("customer", None), role("app", None), role("unknown", None)),
            (Role::Customer, Role::Automation, Role::Unknown)
        );
        assert_eq!(role_of(&User::default(), None), Role::Unknown, "nobody is not us");
    }

    #[test]
    fn a_hidden_mail_address_is_none() {
        let user = json!({ "accountId": "1", "displayName": "Dana", "emailAddress": null });
        let dana = person(&serde_json::from_value(user).unwrap(), Role::Customer).unwrap();
        assert_eq!((dana.name.as_deref(), dana.email), (Some("Dana"), None));
        assert_eq!(person(&User::default(), Role::Unknown), None);
    }
}
