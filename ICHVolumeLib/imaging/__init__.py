"""Operations on arrays, one of each; they know pixels and millimetres, not hemorrhages."""
