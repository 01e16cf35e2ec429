# demo: the whole way from two programs to what is said of them
sh tests/demo.sh
