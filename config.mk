# Knobs. Override on the command line: make CC=clang BUILD=build-clang
CC       ?= gcc
BUILD    ?= build
PREFIX   ?= /usr/local
OPT      ?= -O3 -g
# Folder of the public datasets; tests and the demo say clearly when it is absent.
TACIT_DATA ?= ../shared/data
JOBS     ?= $(shell nproc)
