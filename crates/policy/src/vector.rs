//! The features of one sender over one window, by their index in
//! [`turnwise_model::features::FEATURES`].

use std::collections::HashMap;
use std::sync::LazyLock;

use turnwise_model::features::FEATURES;

/// The index of each feature by its name: all of it is asked for many senders at a time.
static INDICES: LazyLock<HashMap<&str, usize>> =
    LazyLock::new(|| FEATURES.iter().enumerate().map(|(at, feature)| (feature.name, at)).collect());

/// Feature values with their support and intervals, and the counts that say whether there is
/// enough to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureVector {
    /// The value of each feature; `None` where it is null.
    pub values: Vec<Option<f64>>,
    /// The support n of each feature.
    pub support: Vec<i64>,
    /// The 95 % interval (low, high) of each feature that has one.
    pub intervals: Vec<Option<(f64, f64)>>,
    /// F01, distinct peers with U.
    pub active_peers: i64,
    /// Messages in U.
    pub u_messages: i64,
    /// Messages in F.
    pub f_messages: i64,
    /// Whether any B of the window comes from a send record.
    pub has_send_log: bool,
}

impl Default for FeatureVector {
    fn default() -> Self {
        Self {
            values: vec![None; FEATURES.len()],
            support: vec![0; FEATURES.len()],
            intervals: vec![None; FEATURES.len()],
            active_peers: 0,
            u_messages: 0,
            f_messages: 0,
            has_send_log: false,
        }
    }
}

impl FeatureVector {
    /// All features null, nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The index of the feature of that name.
    #[must_use]
    pub fn index_of(name: &str) -> Option<usize> {
        INDICES.get(name).copied()
    }

    /// Sets a feature by name. An unknown name changes nothing and answers `false`.
    pub fn set(
        &mut self,
        name: &str,
        value: Option<f64>,
        n: i64,
        interval: Option<(f64, f64)>,
    ) -> bool {
        let Some(at) = Self::index_of(name) else { return false };
        if let Some(slot) = self.values.get_mut(at) {
            *slot = value;
        }
        if let Some(slot) = self.support.get_mut(at) {
            *slot = n;
        }
        if let Some(slot) = self.intervals.get_mut(at) {
            *slot = interval;
        }
        true
    }

    /// The value of a feature by name: `None` where it is null, no finite number, or below its
    /// minimum support.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let at = Self::index_of(name)?;
        let value = (*self.values.get(at)?).filter(|value| value.is_finite())?;
        let support = self.support.get(at).copied().unwrap_or(0);
        (support >= FEATURES[at].support_min).then_some(value)
    }

    /// The support of a feature by name; 0 where there is none.
    #[must_use]
    pub fn support_of(&self, name: &str) -> i64 {
        Self::index_of(name).and_then(|at| self.support.get(at)).copied().unwrap_or(0)
    }

    /// The interval of a feature by name, where it has one of finite numbers.
    #[must_use]
    pub fn interval(&self, name: &str) -> Option<(f64, f64)> {
        let at = Self::index_of(name)?;
        (*self.intervals.get(at)?).filter(|ends| ends.0.is_finite() && ends.1.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_below_its_support_is_null() {
        let mut vector = FeatureVector::new();
        assert!(vector.set("F30_user_long", Some(0.5), 49, Some((0.4, 0.6))));
        assert_eq!(vector.value("F30_user_long"), None);
        assert!(vector.set("F30_user_long", Some(0.5), 50, Some((0.4, 0.6))));
        assert_eq!(vector.value("F30_user_long"), Some(0.5));
        assert!(!vector.set("F99_none", Some(0.5), 50, None));
    }

    #[test]
    fn a_vector_of_wrong_length_reads_as_null() {
        let vector = FeatureVector { values: Vec::new(), ..FeatureVector::new() };
        assert_eq!(vector.value("F30_user_long"), None);
        let nan = FeatureVector { values: vec![Some(f64::NAN)], ..FeatureVector::new() };
        assert_eq!(nan.value("F01_active_peers"), None);
    }
}
