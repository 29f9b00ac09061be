/* SPDX-License-Identifier: Apache-2.0
 * generate_words.h - the vocabulary of the synthetic shop. Data only; generate.c includes it. */
#ifndef TACIT_TOOLS_GENERATE_WORDS_H
#define TACIT_TOOLS_GENERATE_WORDS_H

enum { GENERATE_CATEGORIES = 12, GENERATE_NOUNS = 8, GENERATE_WORDS = 36 };

static const struct {
    const char *name;
    const char *nouns[GENERATE_NOUNS];
} generate_categories[GENERATE_CATEGORIES] = {
    {"kitchen", {"mug", "teapot", "pan", "bowl", "grater", "kettle", "tray", "knife"}},
    {"garden", {"planter", "trowel", "lantern", "hose", "bench", "feeder", "gloves", "seeds"}},
    {"books", {"novel", "atlas", "cookbook", "diary", "thriller", "poems", "guide", "comic"}},
    {"toys", {"puzzle", "kite", "blocks", "doll", "train", "drum", "robot", "cards"}},
    {"clothes", {"scarf", "jumper", "socks", "coat", "shirt", "hat", "jeans", "dress"}},
    {"sport", {"ball", "racket", "mat", "bottle", "rope", "helmet", "skates", "weights"}},
    {"music", {"guitar", "record", "speaker", "flute", "headphones", "piano", "stand", "strings"}},
    {"office", {"notebook", "pen", "lamp", "chair", "folder", "stapler", "desk", "calendar"}},
    {"beauty", {"soap", "cream", "brush", "candle", "perfume", "mirror", "oil", "towel"}},
    {"food", {"coffee", "tea", "honey", "chocolate", "pasta", "jam", "spices", "nuts"}},
    {"pets", {"collar", "basket", "leash", "toy", "bowl", "brush", "treats", "blanket"}},
    {"tools", {"hammer", "drill", "saw", "pliers", "ladder", "paint", "tape", "screws"}},
};

static const char *const generate_words[GENERATE_WORDS] = {
    "vintage", "modern",  "classic", "bright",  "rustic",  "elegant", "playful", "simple",
    "bold",    "soft",    "striped", "dotted",  "wooden",  "ceramic", "linen",   "cotton",
    "steel",   "copper",  "glass",   "blue",    "red",     "green",   "black",   "white",
    "golden",  "silver",  "tiny",    "large",   "folding", "travel",  "winter",  "summer",
    "nordic",  "country", "organic", "handmade"};

#endif
