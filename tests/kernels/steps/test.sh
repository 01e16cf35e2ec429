# test:NAME - one of the project's test files, whole, in sizes of TEST_SCALE
timeout 1800 "tests/$1.t"
