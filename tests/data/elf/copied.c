/* Without position independence, stdout is copied into the program, which then defines it. */
#include <stdio.h>
int main(void) { return fputs("copied\n", stdout) < 0; }
