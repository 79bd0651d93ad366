//! The ids of topics, so that a topic deleted and made again under its name is another one.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext};

/// Asks the cluster for the ids of topics; `None` where no answer came in time. Topics that it
/// tells none for are left out: brokers before 2.8 know none.
pub(crate) fn describe<C: ClientContext>(
    client: &Client<C>,
    topics: &[String],
    within: Duration,
) -> Option<BTreeMap<String, String>> {
    let names: Vec<CString> =
        topics.iter().filter_map(|topic| CString::new(topic.as_str()).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let timeout_ms = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    let mut ids = None;
    // SAFETY: `names` outlives the call, which copies them; the client outlives the queue; each
    // object made here is destroyed once, after the last use of what it owns; pointers that the
    // library may return as null are checked.
    unsafe {
        let collection =
            native::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let queue = native::rd_kafka_queue_new(client.native_ptr());
        native::rd_kafka_DescribeTopics(client.native_ptr(), collection, ptr::null(), queue);
        let event = native::rd_kafka_queue_poll(queue, timeout_ms);
        if !event.is_null() {
            let result = native::rd_kafka_event_DescribeTopics_result(event);
            if !result.is_null() {
                let ids = ids.get_or_insert_with(BTreeMap::new);
                let mut count = 0;
                let found = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
                for at in 0..count {
                    if let Some((name, id)) = one(*found.add(at)) {
                        ids.insert(name, id);
                    }
                }
            }
            native::rd_kafka_event_destroy(event);
        }
        native::rd_kafka_queue_destroy(queue);
        native::rd_kafka_TopicCollection_destroy(collection);
    }
    ids
}

/// Name and id of one description.
///
/// # Safety
/// `topic` points to a description that is valid during the call.
unsafe fn one(topic: *const native::rd_kafka_TopicDescription_t) -> Option<(String, String)> {
    // SAFETY: by this function's contract; the strings are copied before they are freed.
    unsafe {
        let name = native::rd_kafka_TopicDescription_name(topic);
        let id = native::rd_kafka_TopicDescription_topic_id(topic);
        if name.is_null() || id.is_null() {
            return None;
        }
        let text = native::rd_kafka_Uuid_base64str(id);
        if text.is_null() {
            return None;
        }
        let name = CStr::from_ptr(name).to_str().ok()?.to_owned();
        let id = CStr::from_ptr(text).to_str().ok()?.to_owned();
        // The id of all zeros stands for none.
        (!id.bytes().all(|byte| byte == b'A')).then_some((name, id))
    }
}
