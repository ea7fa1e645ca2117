//! How do the tables look to diesel? Kept by hand: see `diesel.toml`; the test below compares it with the migrations.

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    tallies (only_row) {
        only_row -> BigInt,
        received -> BigInt,
        coalesced -> BigInt,
        ignored -> BigInt,
        opened -> BigInt,
        done -> BigInt,
        dropped -> BigInt,
    }
}

diesel::table! {
    jobs (kind, id) {
        kind -> Text,
        id -> BigInt,
        state -> Text,
        generation -> BigInt,
        synced -> BigInt,
        claimed -> Nullable<BigInt>,
        token -> Nullable<BigInt>,
        due_at -> Nullable<BigInt>,
        wait_ms -> BigInt,
        first_event_at -> BigInt,
        last_event_at -> BigInt,
        created -> Bool,
        attempts -> BigInt,
        crashes -> BigInt,
        streak -> BigInt,
        class -> Nullable<Text>,
        code -> Nullable<Text>,
        detail -> Nullable<Text>,
        failing_since -> Nullable<BigInt>,
        correlation_id -> Text,
        opened_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    attempts (attempt_id) {
        attempt_id -> BigInt,
        kind -> Text,
        id -> BigInt,
        generation -> BigInt,
        started_at -> BigInt,
        ended_at -> BigInt,
        outcome -> Text,
        code -> Nullable<Text>,
        detail -> Nullable<Text>,
        next -> Text,
        correlation_id -> Text,
        peer -> Nullable<Text>,
    }
}

diesel::table! {
    outages (outage_id) {
        outage_id -> BigInt,
        circuit -> Text,
        cause -> Text,
        code -> Text,
        detail -> Text,
        started_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        held_jobs -> Nullable<BigInt>,
    }
}

diesel::table! {
    dead_letters (letter_id) {
        letter_id -> BigInt,
        kind -> Text,
        id -> BigInt,
        code -> Text,
        detail -> Text,
        answer -> Nullable<Text>,
        attempts -> BigInt,
        buried_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        closed_as -> Nullable<Text>,
        correlation_id -> Text,
    }
}

diesel::table! {
    links (machine_id, rating_key) {
        machine_id -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        section_key -> Text,
        part_path -> Text,
        created_at -> Text,
        oshash -> Text,
        evidence -> Text,
        confidence -> Double,
        linked_at -> BigInt,
    }
}

diesel::table! {
    ledger (machine_id, rating_key, scene_id, field) {
        machine_id -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        field -> Text,
        value -> Text,
        written_at -> BigInt,
    }
}

diesel::table! {
    covers (machine_id, rating_key, scene_id, field) {
        machine_id -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        field -> Text,
        tag -> Text,
        wanted -> Text,
        address -> Text,
        shown -> Text,
    }
}

diesel::table! {
    intents (intent_id) {
        intent_id -> BigInt,
        scene_id -> BigInt,
        machine_id -> Text,
        rating_key -> Text,
        edits -> Text,
        before -> Text,
        run_token -> BigInt,
        opened_at -> BigInt,
        correlation_id -> Text,
        undoes -> Nullable<BigInt>,
    }
}

diesel::table! {
    writes (write_id) {
        write_id -> BigInt,
        scene_id -> BigInt,
        machine_id -> Text,
        rating_key -> Text,
        field -> Text,
        before -> Text,
        after -> Text,
        outcome -> Text,
        note -> Nullable<Text>,
        written_at -> BigInt,
        correlation_id -> Text,
    }
}

diesel::table! {
    undos (write_id) {
        write_id -> BigInt,
        scene_id -> BigInt,
        asked_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    declined (machine_id, rating_key, scene_id, field) {
        machine_id -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        field -> Text,
        value -> Text,
    }
}

diesel::table! {
    plex_sections (section_key) {
        section_key -> Text,
        machine_id -> Text,
        title -> Text,
        walk -> BigInt,
        walked_at -> Nullable<BigInt>,
        newest_added_at -> Nullable<BigInt>,
        content_changed_at -> Nullable<BigInt>,
        newest_updated_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    plex_parts (part) {
        part -> BigInt,
        section_key -> Text,
        rating_key -> Text,
        part_id -> BigInt,
        path -> Text,
        path_hash -> BigInt,
        name_hash -> BigInt,
        tail_hash -> Nullable<BigInt>,
        size -> Nullable<BigInt>,
        duration_ms -> Nullable<BigInt>,
        title -> Text,
        date -> Text,
        studio -> Text,
        content_hash -> Nullable<Text>,
        added_at -> BigInt,
        updated_at -> BigInt,
        walk -> BigInt,
    }
}

diesel::table! {
    plex_bands (band, part) {
        band -> BigInt,
        part -> BigInt,
    }
}

diesel::table! {
    reviews (scene_id) {
        scene_id -> BigInt,
        machine_id -> Text,
        code -> Text,
        detail -> Text,
        title -> Text,
        path -> Text,
        created_at -> Text,
        oshash -> Text,
        candidates -> Text,
        opened_at -> BigInt,
        correlation_id -> Text,
    }
}

diesel::table! {
    reviewed_pairs (machine_id, rating_key, scene_id) {
        machine_id -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        answer -> Text,
        section_key -> Text,
        part_path -> Text,
        created_at -> Text,
        oshash -> Text,
        answered_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(jobs, reviews);

diesel::table! {
    awaited (key, scene_id) {
        key -> BigInt,
        scene_id -> BigInt,
    }
}

diesel::table! {
    own_paths (path_hash, scene_id) {
        path_hash -> BigInt,
        scene_id -> BigInt,
    }
}

#[cfg(test)]
mod tests;
