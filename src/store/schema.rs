// @generated automatically by Diesel CLI.

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
        attempts -> Integer,
        buried_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        closed_as -> Nullable<Text>,
        correlation_id -> Text,
    }
}

diesel::table! {
    intents (intent_id) {
        intent_id -> BigInt,
        machine -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        edits -> Text,
        before -> Text,
        created_at -> Text,
        oshash -> Text,
        opened_at -> BigInt,
        correlation_id -> Text,
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
        attempts -> Integer,
        crashes -> Integer,
        streak -> Integer,
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
    ledger (machine, rating_key, scene_id, field) {
        machine -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        field -> Text,
        value -> Text,
        created_at -> Text,
        oshash -> Text,
        written_at -> BigInt,
    }
}

diesel::table! {
    links (machine, rating_key) {
        machine -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        section_key -> Text,
        path -> Text,
        confidence -> Double,
        evidence -> Text,
        linked_at -> BigInt,
    }
}

diesel::table! {
    plex_parts (section_key, rating_key, part_id) {
        section_key -> Text,
        rating_key -> Text,
        part_id -> BigInt,
        path -> Text,
        path_hash -> BigInt,
        name_hash -> BigInt,
        size -> Nullable<BigInt>,
        duration_ms -> Nullable<BigInt>,
        title -> Text,
        added_at -> BigInt,
        updated_at -> BigInt,
        walk -> BigInt,
    }
}

diesel::table! {
    plex_sections (section_key) {
        section_key -> Text,
        title -> Text,
        walked_at -> Nullable<BigInt>,
        newest_added_at -> BigInt,
    }
}

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    tallies (id) {
        id -> BigInt,
        received -> BigInt,
        coalesced -> BigInt,
        ignored -> BigInt,
        opened -> BigInt,
        done -> BigInt,
        dropped -> BigInt,
    }
}

diesel::table! {
    writes (write_id) {
        write_id -> BigInt,
        machine -> Text,
        rating_key -> Text,
        scene_id -> BigInt,
        field -> Text,
        before -> Text,
        after -> Nullable<Text>,
        locked -> Nullable<Bool>,
        outcome -> Text,
        written_at -> BigInt,
        correlation_id -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    attempts,
    dead_letters,
    intents,
    jobs,
    ledger,
    links,
    plex_parts,
    plex_sections,
    settings,
    tallies,
    writes,
);
