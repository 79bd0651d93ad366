//! The instruction sets that kernels are compiled for, and the choice among them.
//!
//! A kernel with a fast version implements `Kernel`: the same generic code, written once, is
//! compiled once for each instruction set, because everything it calls is inlined into a function
//! that has the set's features on. [`InstructionSet::best`] is asked once a batch.
//!
//! ```text
//! shape(batch) → InstructionSet::best() → run(kernel) ─┬─ kernel.lanes()            plain
//!                                                      ├─ kernel.lanes()            AVX2 on
//!                                                      ├─ kernel.avx2(Avx2)         and its intrinsics
//!                                                      ├─ kernel.lanes()            AVX-512 on
//!                                                      └─ kernel.avx512(Avx512)     and its intrinsics
//! ```
//!
//! Lanes are portable code without intrinsics, but where blocks of a text are looked at (`scan`): there
//! they are those of SSE2, which every x86-64 processor has. A kernel without intrinsics of AVX2 runs
//! its lanes with them on.
//!
//! A value of `Avx2` or `Avx512` is the proof that the processor has the set: only this file makes
//! one, after asking the processor. So the intrinsics behind it are sound to call.
#![cfg_attr(target_arch = "x86_64", allow(unsafe_code))]

use std::sync::OnceLock;

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Lanes,
    #[cfg(target_arch = "x86_64")]
    LanesAvx2,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    LanesAvx512,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Proof that the processor has AVX2, BMI1, BMI2, LZCNT and POPCNT (Haswell, Zen).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// Proof that the processor has AVX2, BMI1, BMI2, LZCNT, POPCNT and AVX-512 F, BW, VL, DQ, VBMI,
/// VBMI2 and VPOPCNTDQ (Ice Lake, Zen 4).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    /// The processor has AVX2 and what belongs to it, too.
    #[inline(always)]
    pub(crate) fn avx2(self) -> Avx2 {
        Avx2(())
    }
}

/// One run of a kernel. Implementations mark both `#[inline(always)]`, and so everything
/// that shall be compiled for the instruction set.
pub(crate) trait Kernel {
    /// What a run gives.
    type Output;

    /// Runs on lanes.
    fn lanes(self) -> Self::Output;

    /// Runs with intrinsics of AVX2, where it has any.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx2(self, _: Avx2) -> Self::Output
    where
        Self: Sized,
    {
        self.lanes()
    }

    /// Runs with intrinsics of AVX-512.
    #[cfg(target_arch = "x86_64")]
    fn avx512(self, proof: Avx512) -> Self::Output;
}

impl InstructionSet {
    /// All that this processor has, the plainest first. Those that are called
    /// lanes are one code, compiled with the set's features on.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = vec![Self(Set::Lanes)];
        #[cfg(target_arch = "x86_64")]
        {
            let (avx2, avx512) = (has_avx2(), has_avx512());
            let sets = [
                (avx2, Set::LanesAvx2),
                (avx2, Set::Avx2),
                (avx512, Set::LanesAvx512),
                (avx512, Set::Avx512),
            ];
            found.extend(sets.iter().filter(|(has, _)| *has).map(|(_, set)| Self(*set)));
        }
        found
    }

    /// The best of this processor. Cheap: the processor is asked once a process.
    #[must_use]
    #[inline]
    pub fn best() -> Self {
        static BEST: OnceLock<InstructionSet> = OnceLock::new();
        *BEST.get_or_init(Self::of_processor)
    }

    fn of_processor() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512() {
                return Self(Set::Avx512);
            }
            if has_avx2() {
                return Self(Set::Avx2);
            }
        }
        Self(Set::Lanes)
    }

    /// Its name in benches and tests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Set::Lanes => "lanes",
            #[cfg(target_arch = "x86_64")]
            Set::LanesAvx2 => "lanes, AVX2 on",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Set::LanesAvx512 => "lanes, AVX-512 on",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "AVX-512",
        }
    }

    /// Runs a kernel with this set.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Set::Lanes => kernel.lanes(),
            // SAFETY: a value of these sets exists only if the processor has all their features.
            // Gain: the loops of the kernel use the wide registers.
            #[cfg(target_arch = "x86_64")]
            Set::LanesAvx2 => unsafe { lanes_with_avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::Avx2 => unsafe { with_avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::LanesAvx512 => unsafe { lanes_with_avx512(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::Avx512 => unsafe { with_avx512(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("avx512vpopcntdq")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn lanes_with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.lanes()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.avx2(Avx2(()))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq")]
fn lanes_with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.lanes()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.avx512(Avx512(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds up, and tells which way it came.
    struct Sum<'a>(&'a [u64]);

    impl Kernel for Sum<'_> {
        type Output = (u64, &'static str);

        #[inline(always)]
        fn lanes(self) -> Self::Output {
            (self.0.iter().sum(), "lanes")
        }

        #[cfg(target_arch = "x86_64")]
        #[inline(always)]
        fn avx2(self, _: Avx2) -> Self::Output {
            (self.0.iter().sum(), "AVX2")
        }

        #[cfg(target_arch = "x86_64")]
        #[inline(always)]
        fn avx512(self, _: Avx512) -> Self::Output {
            (self.0.iter().sum(), "AVX-512")
        }
    }

    #[test]
    fn every_set_runs_its_own_way_and_the_best_is_among_them() {
        let numbers: Vec<u64> = (0..1000).collect();
        let all = InstructionSet::available();
        assert!(all.contains(&InstructionSet::best()));
        for set in all {
            let (sum, way) = set.run(Sum(&numbers));
            assert_eq!(sum, 499_500);
            assert!(set.name().starts_with(way), "{way} for {}", set.name());
        }
    }
}
