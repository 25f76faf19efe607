// What the C library does before main, as far as the keeper needs it: the arguments. A static program with the C
// library takes 0.3 ms longer from exec to main, and holds more memory than all of this one.

#if defined(__x86_64__)
    .text
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    movq (%rsp), %rdi
    leaq 8(%rsp), %rsi
    andq $-16, %rsp
    call main
    movl %eax, %edi
    movl $231, %eax
    syscall
    hlt
    .size _start, .-_start

    // rt_sigreturn(2): the kernel of x86-64 leaves it to the program how a handler returns.
    .globl procsup_keeper_restore
    .type procsup_keeper_restore, @function
procsup_keeper_restore:
    movl $15, %eax
    syscall
    hlt
    .size procsup_keeper_restore, .-procsup_keeper_restore
#elif defined(__aarch64__)
    .text
    .globl _start
    .type _start, %function
_start:
    mov x29, #0
    mov x30, #0
    ldr x0, [sp]
    add x1, sp, #8
    bl main
    mov x8, #94
    svc #0
    brk #1
    .size _start, .-_start
#endif

    .section .note.GNU-stack,"",%progbits
