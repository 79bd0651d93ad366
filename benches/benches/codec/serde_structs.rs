//! Webhooks as serde structs: what a service would write by hand, of the fields that become columns.

use std::borrow::Cow;

use serde::Deserialize;

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Deserialize)]
pub struct Webhook<'a> {
    #[serde(borrow)]
    pub entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
pub struct Entry<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    pub changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
pub struct Change<'a> {
    #[serde(borrow)]
    pub field: Cow<'a, str>,
    pub value: Inner<'a>,
}

#[derive(Deserialize)]
pub struct Inner<'a> {
    #[serde(borrow)]
    pub metadata: Option<Metadata<'a>>,
    #[serde(default)]
    pub contacts: Vec<Contact<'a>>,
    #[serde(default)]
    pub messages: Vec<Message<'a>>,
    #[serde(default)]
    pub message_echoes: Vec<Message<'a>>,
    #[serde(default)]
    pub statuses: Vec<Status<'a>>,
}

#[derive(Deserialize)]
pub struct Metadata<'a> {
    #[serde(borrow)]
    pub display_phone_number: Text<'a>,
    pub phone_number_id: Text<'a>,
}

#[derive(Deserialize)]
pub struct Contact<'a> {
    #[serde(borrow)]
    pub wa_id: Text<'a>,
    pub user_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Number<'a> {
    Integer(i64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

#[derive(Deserialize)]
pub struct Message<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    pub from: Text<'a>,
    pub from_user_id: Text<'a>,
    pub to: Text<'a>,
    pub to_user_id: Text<'a>,
    pub timestamp: Option<Number<'a>>,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub text: Option<Body<'a>>,
    pub image: Option<Body<'a>>,
    pub audio: Option<Body<'a>>,
    pub button: Option<Body<'a>>,
    pub interactive: Option<Interactive<'a>>,
    pub context: Option<Context<'a>>,
    pub referral: Option<Context<'a>>,
}

#[derive(Deserialize)]
pub struct Body<'a> {
    #[serde(borrow)]
    pub body: Text<'a>,
    pub caption: Text<'a>,
    pub text: Text<'a>,
    pub voice: Option<bool>,
}

#[derive(Deserialize)]
pub struct Interactive<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    pub button_reply: Option<Reply<'a>>,
    pub list_reply: Option<Reply<'a>>,
}

#[derive(Deserialize)]
pub struct Reply<'a> {
    #[serde(borrow)]
    pub title: Text<'a>,
}

#[derive(Deserialize)]
pub struct Context<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
}

#[derive(Deserialize)]
pub struct Status<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    pub status: Text<'a>,
    pub timestamp: Option<Number<'a>>,
    pub recipient_id: Text<'a>,
    pub recipient_user_id: Text<'a>,
    pub conversation: Option<Conversation<'a>>,
    pub pricing: Option<Pricing<'a>>,
    #[serde(default)]
    pub errors: Vec<Error>,
}

#[derive(Deserialize)]
pub struct Conversation<'a> {
    #[serde(borrow)]
    pub origin: Option<ConversationOrigin<'a>>,
}

#[derive(Deserialize)]
pub struct ConversationOrigin<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
}

#[derive(Deserialize)]
pub struct Pricing<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub pricing_model: Text<'a>,
}

#[derive(Deserialize)]
pub struct Error {
    pub code: Option<i64>,
}
