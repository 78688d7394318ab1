//! Custom graphs: keys, errors, and costs.

use super::*;

fn clean(x: i64) -> i64 {
    x + 1
}

fn load_number(name: String) -> i64 {
    name.len() as i64
}

fn store(x: i64) -> String {
    format!("stored {x}")
}

/// load-1 → clean-1 ┐
/// load-2 → clean-2 ┼ analyze → store        spare (not needed by store)
/// load-3 → clean-3 ┘
fn example() -> TaskGraph {
    let mut dsk = TaskGraph::new();
    dsk.insert("store", store, (key("analyze"),)).unwrap();
    dsk.insert("spare", || -> i64 { panic!("not needed") }, ())
        .unwrap();
    for i in 1..=3 {
        dsk.insert(format!("load-{i}"), load_number, ("x".repeat(i),))
            .unwrap();
        dsk.insert(format!("clean-{i}"), clean, (key(format!("load-{i}")),))
            .unwrap();
    }
    dsk.insert("analyze", total, (keys(["clean-1", "clean-2", "clean-3"]),))
        .unwrap();
    dsk
}

#[test]
fn a_custom_graph_computes_what_is_needed() {
    let dsk = example();
    assert_eq!(dsk.get::<String>("store").unwrap(), "stored 9");
    assert_eq!(
        dsk.get_all::<Vec<i64>>(["clean-3", "analyze"]).unwrap(),
        [4, 9]
    );
    let plan = Plan::new(Layers::new(&[dsk.layer("store").unwrap()])).unwrap();
    let mut keys: Vec<String> = plan
        .tasks()
        .map(|task| plan.key(task).to_string())
        .collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "analyze", "clean-1", "clean-2", "clean-3", "load-1", "load-2", "load-3", "store"
        ]
    );
    assert_eq!(dsk.keys().len(), 9);
}

#[test]
fn outputs_of_one_graph_share_their_work() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let mut dsk = TaskGraph::new();
    dsk.insert("a", || RUNS.fetch_add(1, Ordering::Relaxed), ())
        .unwrap();
    dsk.alias("b", "a").unwrap();
    dsk.insert("c", |x: usize, y: usize| x + y, (key("b"), 5))
        .unwrap();
    dsk.insert_value("d", 4usize).unwrap();
    let (a, c) = (
        dsk.output::<usize>("a").unwrap(),
        dsk.output::<usize>("c").unwrap(),
    );
    assert_eq!(compute((&a, &c)).unwrap(), (0, 5));
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    assert_eq!(dsk.get::<usize>("d").unwrap(), 4);
}

#[test]
fn wrong_graphs_say_what_is_wrong() {
    let mut dsk = example();
    let message = |error: Error| error.to_string();
    let twice = dsk.insert_value("store", 1).unwrap_err();
    assert_eq!(
        message(twice),
        "two tasks under the key \"store\": a key names one task, choose another name for one of them"
    );

    dsk.insert("lost", clean, (key("load-4"),)).unwrap();
    let error = message(dsk.get::<i64>("lost").unwrap_err());
    assert!(error.starts_with("no task under the key \"load-4\", needed by \"lost\": the keys are \"store\", \"spare\""), "{error}");
    assert!(
        message(dsk.get::<i64>("stor").unwrap_err())
            .starts_with("no task under the key \"stor\": ")
    );

    dsk.insert("a", clean, (key("b"),)).unwrap();
    dsk.alias("b", "c").unwrap();
    dsk.insert("c", total, (keys(["load-1", "a"]),)).unwrap();
    dsk.insert("on-cycle", clean, (key("a"),)).unwrap();
    assert_eq!(
        message(dsk.get::<i64>("on-cycle").unwrap_err()),
        "the graph has a cycle: a → b → c → a"
    );
    dsk.insert("self", clean, (key("self"),)).unwrap();
    assert_eq!(
        message(dsk.get::<i64>("self").unwrap_err()),
        "the graph has a cycle: self → self"
    );

    dsk.insert("wrong", add, (1, key("store"))).unwrap();
    assert_eq!(
        message(dsk.get::<i64>("wrong").unwrap_err()),
        "argument 2 of \"wrong\", the value of \"store\", is String, expected i64"
    );
    dsk.insert("item", total, (keys(["load-1", "store"]),))
        .unwrap();
    assert_eq!(
        message(dsk.get::<i64>("item").unwrap_err()),
        "argument 1 of \"item\", the value of \"store\", is String, expected i64"
    );
    let error = dsk.get::<f64>("analyze").unwrap_err();
    assert_eq!(error.kind(), "TypeError");
    assert_eq!(
        message(error),
        "the value of \"analyze\" is i64, expected f64"
    );

    let error = message(dsk.get::<i64>("spare").unwrap_err());
    assert!(
        error.starts_with("task spare (closure) failed: panicked: not needed"),
        "{error}"
    );
    dsk.try_insert("parsed", |x: String| x.parse::<i64>(), (key("store"),))
        .unwrap();
    assert_eq!(
        message(dsk.get::<i64>("parsed").unwrap_err()),
        "task parsed (closure) failed: ParseIntError: invalid digit found in string; its inputs: store: String"
    );
    // Errors elsewhere do not affect the rest.
    assert_eq!(dsk.get::<String>("store").unwrap(), "stored 9");
}

#[test]
fn graphs_of_many_tasks_take_linear_time_and_no_stack() {
    let mut dsk = TaskGraph::new();
    dsk.insert_value("0", 0i64).unwrap();
    let begin = Instant::now();
    for i in 1..=100_000 {
        dsk.insert(i.to_string(), clean, (key((i - 1).to_string()),))
            .unwrap();
    }
    dsk.insert("all", total, (keys((0..20_000).map(|i| i.to_string())),))
        .unwrap();
    assert_eq!(dsk.get::<i64>("100000").unwrap(), 100_000);
    assert_eq!(dsk.get::<i64>("all").unwrap(), 19_999 * 20_000 / 2);
    println!(
        "chain of 100,000 and fan-in of 20,000: {:?}",
        begin.elapsed()
    );
}

// Lists of lists, as arguments and in requests.
//
// a b ┐
// c   ┴ longest
#[test]
fn lists_of_keys_keep_their_shape() {
    let mut dsk = TaskGraph::new();
    for (name, value) in [("a", 1i64), ("b", 2), ("c", 3)] {
        dsk.insert_value(name, value).unwrap();
    }
    dsk.alias("d", "c").unwrap();
    let shown = |lists: Vec<Vec<i64>>| format!("{lists:?}");
    let deep = |lists: Vec<Vec<Vec<i64>>>, last: i64| format!("{lists:?} {last}");
    dsk.insert("square", shown, (keys([["a", "b"], ["c", "d"]]),))
        .unwrap();
    let ragged = vec![vec!["a", "b"], vec![], vec!["d"]];
    dsk.insert("ragged", shown, (keys(&ragged),)).unwrap();
    dsk.insert("none", shown, (keys(Vec::<Vec<&str>>::new()),))
        .unwrap();
    let lists = keys([vec![vec!["a"], vec!["b", "c"]], vec![]]);
    dsk.insert("deep", deep, (lists, key("a"))).unwrap();
    let text = |key: &str| dsk.get::<String>(key).unwrap();
    assert_eq!(text("square"), "[[1, 2], [3, 3]]");
    assert_eq!(text("ragged"), "[[1, 2], [], [3]]");
    assert_eq!(text("none"), "[]");
    assert_eq!(text("deep"), "[[[1], [2, 3]], []] 1");

    let rows: Vec<Vec<i64>> = dsk.get_all(ragged).unwrap();
    assert_eq!(rows, [vec![1, 2], vec![], vec![3]]);
    let cube: Vec<Vec<Vec<i64>>> = dsk.get_all([[["a"], ["b"]], [["c"], ["d"]]]).unwrap();
    assert_eq!(cube, [[[1], [2]], [[3], [3]]]);
    let names = vec!["a".to_owned(), "c".to_owned()];
    assert_eq!(dsk.get_all::<Vec<i64>>(&names).unwrap(), [1, 3]);
    assert_eq!(dsk.get_all::<i64>("b").unwrap(), 2);
    let mixed: (String, (i64, Vec<Vec<i64>>)) =
        dsk.get_all(("square", ("a", [["b", "b"]]))).unwrap();
    assert_eq!(
        mixed,
        ("[[1, 2], [3, 3]]".to_owned(), (1, vec![vec![2, 2]]))
    );
    assert!(
        dsk.get_all::<Vec<i64>>(Vec::<&str>::new())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_bad_key_in_lists_is_told_with_its_place() {
    let mut dsk = TaskGraph::new();
    dsk.insert_value("a", 1i64).unwrap();
    dsk.insert_value("text", "b".to_owned()).unwrap();
    let count = |_: i64, lists: Vec<Vec<i64>>| lists.len();
    let lists = |last: &'static str| (1, keys([vec!["a"], vec!["a", last]]));
    dsk.insert("lost", count, lists("b")).unwrap();
    dsk.insert("wrong", count, lists("text")).unwrap();
    let check = |error: Error, start: &str| {
        let message = error.to_string();
        assert!(message.starts_with(start), "{message}");
    };
    check(
        dsk.get::<usize>("lost").unwrap_err(),
        "no task under the key \"b\", needed by \"lost\" at [1][1] of argument 2: the keys",
    );
    check(
        dsk.get::<usize>("wrong").unwrap_err(),
        "[1][1] of argument 2 of \"wrong\", the value of \"text\", is String, expected i64",
    );
    check(
        dsk.get_all::<Vec<Vec<i64>>>([["a", "a"], ["a", "no"]])
            .unwrap_err(),
        "no task under the key \"no\" at [1][1]: the keys",
    );
    check(
        dsk.get_all::<Vec<Vec<i64>>>([["a"], ["text"]]).unwrap_err(),
        "the value of \"text\" at [1][0] is String, expected i64",
    );
    check(
        dsk.get_all::<(i64, i64)>(("a", "text")).unwrap_err(),
        "the value of \"text\" at [1] is String, expected i64",
    );
    assert_eq!(dsk.get::<i64>("a").unwrap(), 1);
}

// a ← b ← c, and x ← y ← x
#[test]
fn aliases_of_aliases_have_the_value_and_no_cycle() {
    let mut dsk = TaskGraph::new();
    dsk.alias("c", "b").unwrap();
    dsk.alias("b", "a").unwrap();
    dsk.insert("a", || 5i64, ()).unwrap();
    dsk.insert("sum", add, (key("c"), key("b"))).unwrap();
    assert_eq!(
        dsk.get_all::<Vec<i64>>(["c", "b", "a", "sum"]).unwrap(),
        [5, 5, 5, 10]
    );
    dsk.alias("x", "y").unwrap();
    dsk.alias("y", "x").unwrap();
    assert_eq!(
        dsk.get::<i64>("x").unwrap_err().to_string(),
        "the graph has a cycle: x → y → x"
    );
    dsk.alias("nothing", "no").unwrap();
    let error = dsk.get::<i64>("nothing").unwrap_err().to_string();
    assert!(error.starts_with("no task under the key \"no\", needed by \"nothing\": "));
    assert!(dsk.get::<f64>("c").is_err());
}

// root ┬ 0, 1, 2 …    Successive requests have the same cost, and the graph
//      ┴ late-0 …    may grow in between.
#[test]
fn many_questions_take_linear_time() {
    const MANY: i64 = 20_000;
    let mut dsk = TaskGraph::new();
    dsk.insert_value("root", 1i64).unwrap();
    for i in 0..MANY {
        dsk.insert(i.to_string(), add, (key("root"), i)).unwrap();
    }
    let begin = Instant::now();
    for i in 0..MANY / 2 {
        assert_eq!(dsk.get::<i64>(i.to_string()).unwrap(), i + 1);
        if i % 1000 == 0 {
            dsk.insert(format!("late-{i}"), clean, (key(i.to_string()),))
                .unwrap();
        }
    }
    println!("10,000 questions: {:?}", begin.elapsed());
    assert_eq!(dsk.get::<i64>("late-1000").unwrap(), 1002);
    let names: Vec<String> = (0..MANY).map(|i| i.to_string()).collect();
    let begin = Instant::now();
    let all: Vec<i64> = dsk.get_all(names).unwrap();
    println!("one of 20,000: {:?}", begin.elapsed());
    assert!(all.into_iter().eq(1..=MANY));
}

// A function of another cell may have the same type at another address: see `pure`. That
// does not happen within one program, so this is all that can be tested here.
#[test]
fn a_graph_keeps_functions_apart() {
    let mut dsk = TaskGraph::new();
    for i in 0..3i64 {
        dsk.insert(format!("held-{i}"), move || i, ()).unwrap();
        dsk.insert(format!("one-{i}"), || 1i64, ()).unwrap();
    }
    dsk.insert("two", || 2i64, ()).unwrap();
    let all = dsk.get_all::<Vec<i64>>(["held-0", "held-1", "held-2", "one-0", "one-2", "two"]);
    assert_eq!(all.unwrap(), [0, 1, 2, 1, 1, 2]);
}

#[test]
fn large_graphs_are_quick() {
    fn timed<T>(what: &str, tasks: usize, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = work();
        let elapsed = begin.elapsed().as_nanos() as usize / tasks;
        println!("{what}: {elapsed} ns a task");
        result
    }
    const MANY: usize = 200_000;
    for _ in 0..3 {
        let mut dsk = timed("insert a million", 5 * MANY, || {
            let mut dsk = TaskGraph::new();
            for i in 0..5 * MANY {
                dsk.insert(format!("task-{i}"), || 1i64, ()).unwrap();
            }
            dsk
        });
        let names = (0..MANY).map(|i| format!("task-{i}"));
        timed("insert a fan-in", MANY, || {
            dsk.insert("all", total, (keys(names),)).unwrap();
        });
        timed("get a fan-in", MANY, || {
            assert_eq!(dsk.get::<i64>("all").unwrap(), MANY as i64);
        });
        let mut dsk = TaskGraph::new();
        dsk.insert_value("0", 0i64).unwrap();
        timed("insert a chain", MANY, || {
            for i in 1..=MANY {
                dsk.insert(i.to_string(), clean, (key((i - 1).to_string()),))
                    .unwrap();
            }
        });
        timed("get a chain", MANY, || {
            assert_eq!(dsk.get::<i64>(MANY.to_string()).unwrap(), MANY as i64);
        });
        timed("drop a chain", MANY, || drop(dsk));
        let inc = delayed(|x: u64| x + 1);
        let calls = timed("20,000 calls", 20_000, || {
            let calls: Vec<_> = (0..20_000).map(|i| inc.call(i)).collect();
            delayed(|x: Vec<u64>| x.len()).call(calls)
        });
        let number = timed("their values", 20_000, || calls.compute().unwrap());
        assert_eq!(number, 20_000);
    }
}
