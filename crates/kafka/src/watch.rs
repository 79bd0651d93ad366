//! Watches the topics: deleted, made again under their name, given more partitions.
//!
//! The client itself goes on reading a topic that was made again from the old position, as long as
//! the new log is long enough. Only the topic's id tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::BaseConsumer;

use crate::context::Context;
use crate::event::Event;
use crate::native::{Topic, Topics, TopicsQuestion};

/// How often the cluster is asked.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// When an answer is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

/// What is known of the topics, and the question that is under way.
pub(crate) struct TopicWatch {
    names: Vec<String>,
    known: BTreeMap<String, Topic>,
    missing: BTreeSet<String>,
    recreated: BTreeSet<String>,
    question: Option<TopicsQuestion<Context>>,
    asked: Instant,
}

impl TopicWatch {
    /// Begins with a first answer, which must tell of every topic.
    pub fn new(names: &[String], first: Topics) -> Option<Self> {
        let known: BTreeMap<String, Topic> =
            first.into_iter().filter_map(|(name, topic)| Some((name, topic?))).collect();
        let is_whole = names.iter().all(|name| known.contains_key(name));
        is_whole.then(|| Self {
            names: names.to_vec(),
            known,
            missing: BTreeSet::new(),
            recreated: BTreeSet::new(),
            question: None,
            asked: Instant::now(),
        })
    }

    /// The id that a topic had first; it stands for the topic as long as this consumer lives.
    pub fn id(&self, topic: &str) -> Option<&String> {
        self.known.get(topic).and_then(|topic| topic.id.as_ref())
    }

    /// Whether another topic has taken the name.
    pub fn is_recreated(&self, topic: &str) -> bool {
        self.recreated.contains(topic)
    }

    /// Asks now and then, never waits, and tells what has changed, each change once.
    pub fn look(&mut self, client: &Arc<BaseConsumer<Context>>) -> Vec<Event> {
        let waited = self.asked.elapsed();
        match &self.question {
            None if waited >= ASK_EVERY => {
                self.asked = Instant::now();
                self.question = TopicsQuestion::ask(client, &self.names);
                Vec::new()
            }
            None => Vec::new(),
            Some(question) => match question.answer(Duration::ZERO) {
                Some(Ok(topics)) => {
                    self.question = None;
                    self.compare(&topics)
                }
                None if waited < GIVE_UP_AFTER => Vec::new(),
                // Asked again later; that brokers are away is told elsewhere.
                None | Some(Err(_)) => {
                    self.question = None;
                    Vec::new()
                }
            },
        }
    }

    fn compare(&mut self, now: &Topics) -> Vec<Event> {
        let mut events = Vec::new();
        for (name, now) in now {
            let topic = name.clone();
            let Some(now) = now else {
                if self.missing.insert(topic.clone()) {
                    events.push(Event::TopicMissing { topic });
                }
                continue;
            };
            self.missing.remove(name);
            let known = self.known.entry(topic.clone()).or_insert_with(|| now.clone());
            if let (Some(was), Some(id)) = (&known.id, &now.id)
                && was != id
            {
                if self.recreated.insert(topic.clone()) {
                    events.push(Event::TopicRecreated { topic, was: was.clone(), now: id.clone() });
                }
                continue;
            }
            if now.partitions > known.partitions {
                known.partitions = now.partitions;
                events.push(Event::PartitionsAdded { topic, partitions: now.partitions });
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: &str, partitions: usize) -> Topics {
        [("webhooks".to_owned(), Some(Topic { id: Some(id.to_owned()), partitions }))].into()
    }

    fn watch() -> TopicWatch {
        TopicWatch::new(&["webhooks".to_owned()], answer("a", 2)).expect("every topic is told")
    }

    #[test]
    fn topic_made_again_is_told_once_and_keeps_its_first_id() {
        let mut watch = watch();
        assert!(watch.compare(&answer("a", 2)).is_empty());
        let told = watch.compare(&answer("b", 2));
        assert!(
            matches!(&told[..], [Event::TopicRecreated { was, now, .. }] if was == "a" && now == "b")
        );
        assert!(watch.compare(&answer("b", 2)).is_empty());
        assert!(watch.is_recreated("webhooks"));
        assert_eq!(watch.id("webhooks").map(String::as_str), Some("a"));
    }

    #[test]
    fn missing_topic_and_new_partitions_are_told_once() {
        let mut watch = watch();
        let gone: Topics = [("webhooks".to_owned(), None)].into();
        assert!(matches!(&watch.compare(&gone)[..], [Event::TopicMissing { .. }]));
        assert!(watch.compare(&gone).is_empty());
        let told = watch.compare(&answer("a", 3));
        assert!(matches!(&told[..], [Event::PartitionsAdded { partitions: 3, .. }]));
        assert!(watch.compare(&answer("a", 3)).is_empty());
    }
}
