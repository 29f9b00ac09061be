# Knobs. Override on the command line: make CC=clang BUILD=build-clang
ifeq ($(origin CC),default)
CC       := gcc
endif
BUILD    ?= build
PREFIX   ?= /usr/local
OPT      ?= -O3 -g
# Folder of the public datasets; tests and the demo say clearly when it is absent.
TACIT_DATA ?= ../shared/data
JOBS     ?= $(shell nproc)
