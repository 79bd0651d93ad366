//! The ids of topics, so that a topic deleted and made again under its name is another one.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode as Code;

/// A topic as the cluster describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    /// Its id in URL-safe base64; brokers before 2.8 have none.
    pub id: Option<String>,
    /// How many partitions it has.
    pub partitions: usize,
}

/// What the cluster says of topics by name: `None` of one that does not exist. One that it cannot
/// speak of now is left out.
pub(crate) type Topics = BTreeMap<String, Option<Topic>>;

/// A question about topics that is under way.
pub(crate) struct TopicsQuestion<C: ConsumerContext + 'static> {
    queue: NonNull<native::rd_kafka_queue_t>,
    /// Keeps the client alive, which the queue belongs to.
    _client: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka serves its queues from any thread.
unsafe impl<C: ConsumerContext + 'static> Send for TopicsQuestion<C> {}

impl<C: ConsumerContext> TopicsQuestion<C> {
    /// Asks the cluster.
    pub fn ask(client: &Arc<BaseConsumer<C>>, topics: &[String]) -> Option<Self> {
        let names: Vec<CString> =
            topics.iter().filter_map(|topic| CString::new(topic.as_str()).ok()).collect();
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let native_client = client.client().native_ptr();
        // SAFETY: `names` outlives the calls, which copy them; the client is alive; the list is
        // destroyed once, after its last use.
        let queue = unsafe {
            let queue = NonNull::new(native::rd_kafka_queue_new(native_client))?;
            let list = native::rd_kafka_TopicCollection_of_topic_names(
                pointers.as_mut_ptr(),
                pointers.len(),
            );
            native::rd_kafka_DescribeTopics(native_client, list, ptr::null(), queue.as_ptr());
            native::rd_kafka_TopicCollection_destroy(list);
            queue
        };
        Some(Self { queue, _client: Arc::clone(client) })
    }

    /// The answer: nothing where none came in time, an error where the cluster refused.
    pub fn answer(&self, within: Duration) -> Option<Result<Topics, Code>> {
        let timeout_ms = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is ours; an event that is not null is destroyed once, after the last
        // use of what it owns; the count belongs to the array that comes with it.
        unsafe {
            let event = NonNull::new(native::rd_kafka_queue_poll(self.queue.as_ptr(), timeout_ms))?;
            let code = native::rd_kafka_event_error(event.as_ptr());
            let result = native::rd_kafka_event_DescribeTopics_result(event.as_ptr());
            let answer = if code != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                Err(code.into())
            } else if result.is_null() {
                Err(Code::Fail)
            } else {
                let mut count = 0;
                let found = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
                Ok((0..count).filter_map(|at| one(*found.add(at))).collect())
            };
            native::rd_kafka_event_destroy(event.as_ptr());
            Some(answer)
        }
    }
}

impl<C: ConsumerContext + 'static> Drop for TopicsQuestion<C> {
    fn drop(&mut self) {
        // SAFETY: the queue is ours and used no more; an answer that is late is dropped with it.
        unsafe { native::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// Name and description of one topic.
///
/// # Safety
/// `topic` points to a description that is valid during the call.
unsafe fn one(
    topic: *const native::rd_kafka_TopicDescription_t,
) -> Option<(String, Option<Topic>)> {
    // SAFETY: by this function's contract; strings are copied before they are freed.
    unsafe {
        let name = native::rd_kafka_TopicDescription_name(topic);
        if name.is_null() {
            return None;
        }
        let name = CStr::from_ptr(name).to_str().ok()?.to_owned();
        let error = native::rd_kafka_TopicDescription_error(topic);
        match Code::from(native::rd_kafka_error_code(error)) {
            Code::NoError => {}
            Code::UnknownTopic | Code::UnknownTopicOrPartition => return Some((name, None)),
            _ => return None,
        }
        let mut partitions = 0;
        native::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
        let id = native::rd_kafka_TopicDescription_topic_id(topic);
        let text = if id.is_null() { ptr::null() } else { native::rd_kafka_Uuid_base64str(id) };
        let id = if text.is_null() { None } else { url_safe(CStr::from_ptr(text).to_bytes()) };
        Some((name, Some(Topic { id, partitions })))
    }
}

/// librdkafka writes ids in plain base64, whose slash would read as a separator in the names of
/// inputs; Kafka's own tools write the URL-safe form. All zeros stand for no id.
fn url_safe(id: &[u8]) -> Option<String> {
    let is_none = id.iter().all(|byte| *byte == b'A');
    (!is_none).then(|| {
        id.iter()
            .map(|byte| match byte {
                b'+' => '-',
                b'/' => '_',
                other => char::from(*other),
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_url_safe_and_all_zeros_are_none() {
        assert_eq!(url_safe(b"a+b/c"), Some("a-b_c".to_owned()));
        assert_eq!(url_safe(b"AAAAAAAAAAAAAAAAAAAAAA"), None);
    }
}
