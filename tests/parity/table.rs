//! Docker's tables: Go's `text/tabwriter` with three spaces between columns.
//!
//! What a cell holds decides how wide its column is, and ids and ages differ from run to run. So
//! a table is taken apart, its cells are normalised, and it is put together by the same rule. A
//! table that did not follow the rule is left as it is, and the difference shows.

/// Spaces between columns.
const GAP: usize = 3;

/// Least widths of a column: of the lists, and of `top`.
const LEAST: [usize; 2] = [10, 20];

/// The table with each cell passed through `change`; `None` when the text is no table of Docker's.
pub fn map(text: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let body = text.strip_suffix('\n')?;
    let starts = columns(body.lines().next()?)?;
    let rows: Vec<Vec<String>> = body.split('\n').map(|line| cells(line, &starts)).collect();
    let least = LEAST.into_iter().find(|least| lay_out(&rows, *least) == text)?;
    let changed: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| change(cell)).collect()).collect();
    Some(lay_out(&changed, least))
}

/// Where the columns of a heading begin, in characters; at least two, all in capitals.
fn columns(heading: &str) -> Option<Vec<usize>> {
    let characters: Vec<char> = heading.chars().collect();
    let begins = |at: &usize| {
        let blank = |at: usize| characters.get(at) == Some(&' ');
        !blank(*at) && (*at == 0 || *at >= 2 && blank(at - 1) && blank(at - 2))
    };
    let starts: Vec<usize> = (0..characters.len()).filter(begins).collect();
    let loud = heading.chars().all(|c| c.is_ascii_uppercase() || " /%.()&-".contains(c));
    (starts.len() > 1 && loud).then_some(starts)
}

fn cells(line: &str, starts: &[usize]) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let cell = |(start, end): (usize, usize)| {
        let end = end.min(characters.len());
        let text: String = characters.get(start.min(end)..end).unwrap_or_default().iter().collect();
        text.trim_end().to_owned()
    };
    starts.iter().copied().zip(ends).map(cell).collect()
}

fn lay_out(rows: &[Vec<String>], least: usize) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let widest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        (widest + GAP).max(least)
    };
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            text += cell;
            if column + 1 < count {
                text.extend(std::iter::repeat_n(' ', width(column) - cell.chars().count()));
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn a_table_is_laid_out_anew_around_shorter_cells() {
    let text = "IMAGE          STATUS                     NAMES\n\
                0123456789ab   Exited (0) 2 minutes ago   one\n\
                alpine         Created                    two\n";
    let changed = map(text, |cell| cell.replace("0123456789ab", "ID").replace("2 minutes", "AGE"));
    let expected = "IMAGE     STATUS               NAMES\n\
                    ID        Exited (0) AGE ago   one\n\
                    alpine    Created              two\n";
    assert_eq!(changed.as_deref(), Some(expected));
}

#[test]
fn a_table_with_other_gaps_is_left_alone() {
    assert_eq!(map("IMAGE      NAMES\nalpine     two\n", str::to_owned), None);
    assert_eq!(map("no table\n", str::to_owned), None);
}
