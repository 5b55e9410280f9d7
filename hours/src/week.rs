//! The blocks of a week, as people write them: `"09:00-12:00"` on `mon-thu`.

use std::fmt;

/// Seconds of a day as the clock on the wall counts them.
pub(crate) const DAY: u32 = 86_400;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// All seven, Monday first.
    pub const ALL: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

    /// Its three letters.
    pub fn name(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][self as usize]
    }

    fn next(self) -> Day {
        Self::ALL[(self as usize + 1) % 7]
    }

    fn named(text: &str) -> Option<Day> {
        Self::ALL.into_iter().find(|day| day.name() == text)
    }
}

/// Reads `mon` or `mon-thu`: a day, or days that follow each other within one week.
///
/// # Errors
/// What is wrong, and what would be accepted.
pub fn days(text: &str) -> Result<Vec<Day>, (String, String)> {
    let help = || "write mon, tue, wed, thu, fri, sat, sun, or a range of them such as mon-thu".to_owned();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (Some(from), Some(to)) = (Day::named(first), Day::named(last)) else {
        return Err(("this names no day of the week".to_owned(), help()));
    };
    if text.contains('-') && from >= to {
        let help = match from == to {
            true => format!("write {first}"),
            false => {
                let first = if from == Day::Sun { first.to_owned() } else { format!("{first}-sun") };
                let last = if to == Day::Mon { last.to_owned() } else { format!("mon-{last}") };
                format!("a week begins with mon: give the days in two keys, such as {first} = […] and {last} = […]")
            }
        };
        return Err(("this range of days is reversed".to_owned(), help));
    }
    Ok(Day::ALL.into_iter().filter(|day| (from..=to).contains(day)).collect())
}

/// A block of open time, in seconds since midnight. One that ends at or before its beginning ends on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    from: u32,
    to: u32,
}

impl Block {
    /// Reads `09:00-12:00`, `22:00-06:00` (over midnight) or `18:00-24:00`.
    ///
    /// # Errors
    /// What is wrong, and what would be accepted.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let help =
            || "write it like \"09:00-17:30\"; \"22:00-06:00\" ends on the next day, \"18:00-24:00\" at midnight";
        let wrong = |what: &str| (what.to_owned(), help().to_owned());
        let (from, to) = text.split_once('-').ok_or_else(|| wrong("this is no block of hours"))?;
        let from = time(from).ok_or_else(|| wrong("the beginning is no time of day"))?;
        let to = time(to).ok_or_else(|| wrong("the end is no time of day"))?;
        if from == DAY {
            return Err(wrong("no block begins at 24:00"));
        }
        if from == to {
            let help = "a whole day is \"00:00-24:00\"; a day without hours is an empty list";
            return Err(("this block ends where it begins".to_owned(), help.to_owned()));
        }
        Ok(Self { from, to })
    }

    /// The part on its own day, and the part on the next one.
    fn halves(self) -> ((u32, u32), Option<(u32, u32)>) {
        match (self.from < self.to, self.to) {
            (true, _) => ((self.from, self.to), None),
            (false, 0) => ((self.from, DAY), None),
            (false, to) => ((self.from, DAY), Some((0, to))),
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |seconds: u32| format!("{:02}:{:02}", seconds / 3_600, seconds / 60 % 60);
        write!(f, "{}-{}", clock(self.from), clock(self.to))
    }
}

/// `HH:MM`, from 00:00 to 24:00.
fn time(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str| -> Option<u32> {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let seconds = hours * 3_600 + minutes * 60;
    (minutes < 60 && seconds <= DAY).then_some(seconds)
}

/// Two blocks of a week have open time in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The day on which they do.
    pub on: Day,
    /// The block that was there before.
    pub with: Block,
    /// The day on which that one begins.
    pub of: Day,
}

/// What a block opens of one day: a block over midnight does of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// The block.
    of: Block,
    /// The day on which it begins.
    begins: Day,
    /// From when, in seconds since midnight.
    from: u32,
    /// Until when.
    to: u32,
}

/// The blocks of a week: what is open of each day, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week {
    days: [Vec<Part>; 7],
}

impl Week {
    /// A week without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a block that begins on this day.
    ///
    /// # Errors
    /// It overlaps another one; nothing is added.
    pub fn add(&mut self, day: Day, block: Block) -> Result<(), Overlap> {
        let (own, spilt) = block.halves();
        let halves = std::iter::once((day, own)).chain(spilt.map(|spilt| (day.next(), spilt)));
        for (on, (from, to)) in halves.clone() {
            let hit = self.days[on as usize].iter().find(|other| from < other.to && other.from < to);
            if let Some(other) = hit {
                return Err(Overlap { on, with: other.of, of: other.begins });
            }
        }
        for (on, (from, to)) in halves {
            let parts = &mut self.days[on as usize];
            let at = parts.partition_point(|other| other.from < from);
            parts.insert(at, Part { of: block, begins: day, from, to });
        }
        Ok(())
    }

    /// The open parts of each day in order, touching ones joined: seconds since midnight.
    pub(crate) fn parts(&self) -> [Vec<(u32, u32)>; 7] {
        std::array::from_fn(|day| {
            let mut parts: Vec<(u32, u32)> = Vec::new();
            for Part { from, to, .. } in &self.days[day] {
                match parts.last_mut() {
                    Some(last) if last.1 == *from => last.1 = *to,
                    _ => parts.push((*from, *to)),
                }
            }
            parts
        })
    }

    /// Its meaning as text, the same for every way to write the same week.
    pub fn meaning(&self) -> String {
        let days = Day::ALL.into_iter().zip(self.parts()).filter(|(_, parts)| !parts.is_empty());
        let shown = days.map(|(day, parts)| {
            let parts: Vec<String> = parts.iter().map(|(from, to)| format!("{from}-{to}")).collect();
            format!("{} {}", day.name(), parts.join(","))
        });
        shown.collect::<Vec<_>>().join("; ")
    }

    /// It for people: `mon 09:00–12:00 and 13:00–17:30; fri 09:00–15:00`. A night stands with both of its days.
    pub fn shown(&self) -> String {
        let time = |second: &u32| format!("{:02}:{:02}", second / 3_600, second / 60 % 60);
        let days = Day::ALL.into_iter().zip(self.parts()).filter(|(_, parts)| !parts.is_empty());
        let shown = days.map(|(day, parts)| {
            let parts: Vec<String> = parts.iter().map(|(from, to)| format!("{}–{}", time(from), time(to))).collect();
            format!("{} {}", day.name(), parts.join(" and "))
        });
        shown.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        Block::parse(text).unwrap()
    }

    #[test]
    fn blocks_are_read_strictly() {
        for text in ["09:00-12:00", "22:00-06:00", "00:00-24:00", "18:00-24:00", "23:59-00:00"] {
            assert_eq!(block(text).to_string(), text);
        }
        for text in ["", "-", "9:00-12:00", "09:00", "09:00–12:00", "09:00-25:00", "09:60-10:00", "24:00-06:00"] {
            assert!(Block::parse(text).is_err(), "{text}");
        }
        for text in ["09:00-09:00", "00:00-00:00", "09:00-24:01", " 09:00-12:00", "09:00-12:00-13:00", "+9:00-12:00"] {
            assert!(Block::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_one_or_a_range_within_a_week() {
        assert_eq!(days("mon-thu"), Ok(vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu]));
        assert_eq!(days("sat-sun"), Ok(vec![Day::Sat, Day::Sun]));
        assert_eq!(days("sun"), Ok(vec![Day::Sun]));
        for (text, why) in [("thu-mon", "reversed"), ("mon-mon", "reversed"), ("sun-thu", "reversed")] {
            assert!(days(text).unwrap_err().0.contains(why), "{text}");
        }
        for (text, help) in [
            ("sat-mon", "sat-sun = […] and mon = […]"),
            ("sun-thu", "sun = […] and mon-thu = […]"),
            ("fri-wed", "fri-sun = […] and mon-wed = […]"),
        ] {
            assert!(days(text).unwrap_err().1.ends_with(help), "{text}");
        }
        for text in ["", "Mon", "monday", "mon-", "-mon", "mon-tue-wed", "mon - tue", "holidays"] {
            assert!(days(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_block_over_midnight_meets_the_next_days() {
        let mut week = Week::new();
        week.add(Day::Sun, block("22:00-06:00")).unwrap();
        week.add(Day::Mon, block("06:00-12:00")).unwrap();
        let overlap = Overlap { on: Day::Mon, with: block("22:00-06:00"), of: Day::Sun };
        assert_eq!(week.add(Day::Mon, block("05:00-05:30")), Err(overlap));
        assert!(week.add(Day::Mon, block("11:00-13:00")).is_err());
        week.add(Day::Mon, block("13:00-14:00")).unwrap();
        assert_eq!(week.parts()[0], [(0, 43_200), (46_800, 50_400)]);
        assert_eq!(week.parts()[6], [(79_200, DAY)]);
    }

    #[test]
    fn two_ways_to_write_one_week_mean_the_same() {
        let (mut one, mut other) = (Week::new(), Week::new());
        one.add(Day::Mon, block("22:00-06:00")).unwrap();
        other.add(Day::Tue, block("00:00-06:00")).unwrap();
        other.add(Day::Mon, block("22:00-24:00")).unwrap();
        assert_eq!(one.meaning(), other.meaning());
        assert_eq!(one.meaning(), "mon 79200-86400; tue 0-21600");
        assert_eq!(one.shown(), "mon 22:00–24:00; tue 00:00–06:00");
    }
}
