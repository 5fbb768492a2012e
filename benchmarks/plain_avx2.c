/* Answers CPUID as a processor with AVX2 and nothing newer would, in libraries made ready by plain_avx2.py.

CPUID cannot be denied to a program on most machines, so every CPUID of the library has been replaced by INT3 and
NOP, which are as long. The trap comes here, and the registers are filled in as CPUID would have. */

#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#define BIT(n) (1u << (n))

/* Leaf 7, 0: AVX-512 in all its parts, VNNI, AMX. Leaf 7, 1: what came after, AVX-VNNI among it. */
static const unsigned EBX_7_0 =
    BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31);
static const unsigned ECX_7_0 = BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14);
static const unsigned EDX_7_0 = BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25);

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    unsigned leaf = (unsigned)registers[REG_RAX], part = (unsigned)registers[REG_RCX];
    unsigned eax, ebx, ecx, edx;
    (void)number, (void)info;
    __cpuid_count(leaf, part, eax, ebx, ecx, edx);
    if (leaf == 7 && part == 0)
        ebx &= ~EBX_7_0, ecx &= ~ECX_7_0, edx &= ~EDX_7_0;
    else if (leaf == 7)
        eax = ebx = ecx = edx = 0;
    registers[REG_RAX] = eax, registers[REG_RBX] = ebx, registers[REG_RCX] = ecx, registers[REG_RDX] = edx;
}

__attribute__((constructor)) static void listen(void) {
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
}
