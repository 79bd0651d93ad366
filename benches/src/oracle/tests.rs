use super::*;
use crate::data::{Order, Plan, rows};
use crate::files::{Texts, write_parquet};

fn lines(answer: &str) -> Vec<Vec<&str>> {
    answer.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn quantiles_lie_on_straight_lines_between_ranks() {
    let sorted = [1.0, 2.0, 3.0, 10.0];
    assert_eq!(quantile(&sorted, 0.5), Some(2.5));
    assert_eq!(quantile(&sorted, 1.0), Some(10.0));
    assert!((quantile(&sorted, 0.95).expect("values") - 8.95).abs() < 1e-12);
    assert_eq!(around(&sorted, 0.95), Some((3.0, 10.0)));
    assert_eq!((quantile(&[], 0.5), quantile(&[7.0], 0.95)), (None, Some(7.0)));
}

#[test]
fn answers_do_not_depend_on_the_order_of_rows() {
    let folder = tempfile::tempdir().expect("folder");
    let mut all = rows(&Plan::new(30_000, 20));
    let mut answers = Vec::new();
    for order in [Order::Time, Order::Random] {
        order.sort(&mut all);
        let path = folder.path().join(order.name());
        write_parquet(&all, Texts::Written, &path).expect("written");
        answers.push(
            [Query::A, Query::B, Query::C].map(|query| answer(query, &path).expect("answer")),
        );
    }
    for (query, (one, other)) in answers[0].iter().zip(&answers[1]).enumerate() {
        if query < 2 {
            assert_eq!(one, other);
            continue;
        }
        // Sums of doubles run in the order of rows only where hashes are averaged: never here.
        assert_eq!(one, other);
    }
    let of_a = lines(&answers[0][0]);
    assert_eq!((of_a.len(), of_a[0][0], of_a[0].len()), (21, column::NUMBER, 13));
    let messages: u64 = of_a[1..].iter().map(|row| row[6].parse::<u64>().expect("count")).sum();
    assert_eq!(messages, 30_000);
    assert_eq!(lines(&answers[0][1])[0].len(), 8);
    assert_eq!(lines(&answers[0][2])[0].len(), 11);
}
